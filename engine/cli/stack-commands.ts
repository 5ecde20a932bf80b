/** `stack …`, `cancel`, `whoami`, `login`, `logout`. */
import * as fs from "node:fs";
import * as os from "node:os";
import { z } from "zod";
import { Backend, backendUrl } from "../backend/backend";
import { deploymentSchema, newManifest, refuseFeatures } from "../backend/checkpoint";
import { breakLocks, lockStack } from "../backend/locks";
import { StackSettings, settingsFile } from "../config/stack-settings";
import { checkIntegrity } from "../snapshot/integrity";
import { containsSecrets, isObject, isSecret, mapValue, type PropertyMap, SIGNATURE, SIGNATURE_KEY, type Value } from "../wire/values";
import { findProjectFile, loadProject, parseStackName } from "../workspace/project";
import { currentLogin, saveLogin, selectedStack, selectStack } from "../workspace/pulumi-home";
import { CliError, EXIT_CODE, unsupported } from "./cli-error";
import type { Flags } from "./flags";
import { recordedHistory } from "./history-view";
import { cachingCodec, loadSnapshot, openBackend, openStack, optionalProject, renderDeployment, stateSecrets, workDir } from "./stack-context";

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

export function stackInit(flags: Flags): number {
  const project = loadProject(workDir(flags));
  const provider = flags.text("secrets-provider");
  if (provider !== undefined && !["default", "passphrase", ""].includes(provider)) throw unsupported(`secrets provider ${provider}`);
  const name = flags.words[0] ?? flags.text("stack");
  if (name === undefined) throw new CliError("missing stack name", EXIT_CODE.usage);
  const backend = openBackend(flags, project);
  const { stack } = parseStackName(name, project.name);
  if (backend.exists(project.name, stack)) throw new CliError(`stack 'organization/${project.name}/${stack}' already exists`);
  const settings = new StackSettings(settingsFile(project, stack, flags.text("config-file")), project.name);
  const secrets = settings.secrets();
  // A passphrase that does not fit existing settings must not make a stack that nobody can use.
  secrets.unlock();
  backend.create(project.name, stack);
  backend.save(project.name, stack, { manifest: newManifest(), secrets_providers: { type: "passphrase", state: { salt: secrets.salt } }, metadata: {} });
  if (!flags.has("no-select")) selectStack(project, backend.url, `organization/${project.name}/${stack}`);
  process.stderr.write(`Created stack '${stack}'\n`);
  return EXIT_CODE.ok;
}

export function stackSelect(flags: Flags): number {
  const project = loadProject(workDir(flags));
  const backend = openBackend(flags, project);
  const name = flags.words[0] ?? flags.text("stack");
  if (name === undefined) throw new CliError("no stack name given; this engine does not ask", EXIT_CODE.usage);
  const { project: owner, stack } = parseStackName(name, project.name);
  if (!backend.exists(owner, stack)) {
    if (flags.has("create")) return stackInit(flags);
    throw new CliError(`no stack named '${name}' found`, EXIT_CODE.stackNotFound);
  }
  selectStack(project, backend.url, `organization/${owner}/${stack}`);
  return EXIT_CODE.ok;
}

export function stackLs(flags: Flags): number {
  const project = optionalProject(flags);
  const backend = openBackend(flags, project);
  const selected = project && selectedStack(project, backend.url);
  const stacks = backend.list(flags.has("all") ? undefined : project?.name).map(({ project: owner, stack, lastUpdate, resourceCount, updateInProgress }) => ({
    name: owner === project?.name ? stack : `organization/${owner}/${stack}`,
    current: selected === `organization/${owner}/${stack}`,
    ...(lastUpdate === undefined ? {} : { lastUpdate: new Date(lastUpdate).toISOString() }),
    ...(updateInProgress ? { updateInProgress } : {}),
    ...(resourceCount === undefined ? {} : { resourceCount }),
  }));
  if (flags.has("json")) print(JSON.stringify(stacks, null, 2));
  else
    for (const { name, current, lastUpdate, resourceCount } of stacks)
      print(`${`${name}${current ? "*" : ""}`.padEnd(24)} ${(lastUpdate ?? "n/a").padEnd(26)} ${resourceCount ?? "n/a"}`);
  return EXIT_CODE.ok;
}

export function stackRm(flags: Flags): number {
  const name = flags.words[0] ?? flags.text("stack");
  const { project, backend, stack, settings } = openStack(flags, name);
  if (!flags.has("yes")) throw new CliError("--yes must be passed in to proceed when running in non-interactive mode", EXIT_CODE.usage);
  const unlock = lockStack(backend.bucket, project.name, stack);
  try {
    const count = backend.load(project.name, stack)?.resources?.length ?? 0;
    if (count > 0 && !flags.has("force"))
      throw new CliError(
        `'${stack}' still has resources; removal rejected. Possible actions:\n- Make sure that '${stack}' is the stack that you want to destroy\n- Run \`pulumi destroy\` to delete the resources, then run \`pulumi stack rm\`\n- Run \`pulumi stack rm --force\` to override this error`,
      );
    backend.remove(project.name, stack);
    if (!flags.has("preserve-config")) fs.rmSync(settings.file, { force: true });
    if (selectedStack(project, backend.url) === `organization/${project.name}/${stack}`) selectStack(project, backend.url, undefined);
  } finally {
    unlock();
  }
  print(`Stack '${stack}' has been removed!`);
  return EXIT_CODE.ok;
}

/** What a reader of outputs sees: plain values. */
const plain = (value: Value): Value => mapValue(value, (item) => (isSecret(item) ? (item["value"] ?? null) : item));

export function stackOutput(flags: Flags): number {
  const { project, backend, stack } = openStack(flags);
  const latest = backend.load(project.name, stack);
  const raw = z
    .array(z.looseObject({ type: z.string(), outputs: z.record(z.string(), z.json()).optional() }))
    .parse(latest?.resources ?? [])
    .find((r) => r.type === "pulumi:pulumi:Stack");
  const masked = (raw?.outputs ?? {}) as PropertyMap;
  // Masked outputs are read without the passphrase: what is secret shows in the file.
  const outputs: PropertyMap = flags.has("show-secrets")
    ? (loadSnapshot(latest).resources.find((r) => r.type === "pulumi:pulumi:Stack")?.outputs ?? {})
    : Object.fromEntries(Object.entries(masked).map(([key, value]) => [key, containsSecrets(value) ? "[secret]" : value]));
  const shown = plain(outputs) as PropertyMap;
  const [name] = flags.words;
  if (name !== undefined) {
    const value = shown[name];
    if (value === undefined) throw new CliError(`current stack does not have output property '${name}'`);
    print(flags.has("json") || typeof value !== "string" ? JSON.stringify(value) : value);
  } else if (flags.has("json")) print(JSON.stringify(shown, null, 2));
  else for (const [key, value] of Object.entries(shown)) print(`${key.padEnd(30)} ${typeof value === "string" ? value : JSON.stringify(value)}`);
  return EXIT_CODE.ok;
}

/** Secrets of a raw deployment as plaintext instead of ciphertext. */
function decrypted(value: Value, decrypt: (ciphertext: string) => string): Value {
  if (Array.isArray(value)) return value.map((item) => decrypted(item, decrypt));
  if (!isObject(value)) return value;
  if (isSecret(value) && typeof value["ciphertext"] === "string") return { [SIGNATURE_KEY]: SIGNATURE.secret, plaintext: decrypt(value["ciphertext"]) };
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decrypted(item, decrypt)]));
}

export function stackExport(flags: Flags): number {
  const { project, backend, stack } = openStack(flags);
  const latest = backend.load(project.name, stack);
  const secrets = stateSecrets(latest);
  const deployment =
    flags.has("show-secrets") && secrets !== undefined ? decrypted((latest ?? {}) as Value, (ciphertext) => secrets.decrypt(ciphertext)) : latest;
  const text = `${JSON.stringify({ version: 3, deployment }, null, 4)}\n`;
  const file = flags.text("file");
  if (file === undefined) process.stdout.write(text);
  else fs.writeFileSync(file, text, { mode: 0o600 });
  return EXIT_CODE.ok;
}

const envelopeSchema = z.looseObject({ version: z.number(), features: z.array(z.string()).optional(), deployment: deploymentSchema });

export function stackImport(flags: Flags): number {
  const { project, backend, stack, settings } = openStack(flags);
  const file = flags.text("file");
  const parsed = envelopeSchema.safeParse(JSON.parse(file === undefined ? fs.readFileSync(0, "utf8") : fs.readFileSync(file, "utf8")));
  if (!parsed.success) throw new CliError(`could not read the deployment: ${z.prettifyError(parsed.error)}`);
  const { version, features, deployment } = parsed.data;
  refuseFeatures(version, features ?? []);
  const unlock = lockStack(backend.bucket, project.name, stack);
  try {
    const snapshot = loadSnapshot(deployment);
    const foreign = snapshot.resources.find((r) => !r.urn.startsWith(`urn:pulumi:${stack}::${project.name}::`));
    if (foreign !== undefined && !flags.has("force"))
      throw new CliError(
        `resource '${foreign.urn}' is not part of stack '${stack}' of project '${project.name}'; importing this file could be dangerous; rerun command with --force to proceed anyway`,
      );
    checkIntegrity(snapshot.resources, file ?? "standard input");
    const secrets = stateSecrets(deployment) ?? settings.secrets();
    backend.save(project.name, stack, renderDeployment(snapshot, cachingCodec(secrets), secrets.salt, deployment));
  } finally {
    unlock();
  }
  print("Import complete.");
  return EXIT_CODE.ok;
}

export function stackHistory(flags: Flags): number {
  const { project, backend, stack, settings } = openStack(flags);
  const entries = recordedHistory(backend, project.name, stack, settings, { pageSize: flags.number("page-size"), page: flags.number("page") });
  if (flags.has("json")) print(JSON.stringify(entries, null, 2));
  else for (const { kind, result, startTime, message } of entries) print(`${startTime} ${kind} ${result}${message === "" ? "" : `: ${message}`}`);
  return EXIT_CODE.ok;
}

export function stackRename(flags: Flags): number {
  const { project, backend, stack, settings } = openStack(flags);
  const { stack: next } = parseStackName(flags.words[0] ?? "", project.name);
  if (backend.exists(project.name, next)) throw new CliError(`stack 'organization/${project.name}/${next}' already exists`);
  const unlock = lockStack(backend.bucket, project.name, stack);
  try {
    const latest = backend.load(project.name, stack);
    const urnPrefix = (name: string): string => `urn:pulumi:${name}::${project.name}::`;
    const rootUrn = (name: string, within: string): string => `${urnPrefix(within)}pulumi:pulumi:Stack::${project.name}-${name}`;
    const moved = (text: string): string => {
      if (!text.startsWith(urnPrefix(stack))) return text;
      const urn = `${urnPrefix(next)}${text.slice(urnPrefix(stack).length)}`;
      return urn === rootUrn(stack, next) ? rootUrn(next, next) : urn;
    };
    backend.create(project.name, next);
    // URNs stand in keys too (none today), in values everywhere: stack, parent, dependencies, providers, references.
    if (latest !== undefined)
      backend.save(project.name, next, deploymentSchema.parse(mapValue(latest as Value, (item) => (typeof item === "string" ? moved(item) : item))));
    backend.remove(project.name, stack);
    const target = settingsFile(project, next, undefined);
    if (fs.existsSync(settings.file)) fs.renameSync(settings.file, target);
    selectStack(project, backend.url, `organization/${project.name}/${next}`);
  } finally {
    unlock();
  }
  print(`Renamed ${stack} to ${next}`);
  return EXIT_CODE.ok;
}

const tagsSchema = z.object({ version: z.literal(1), tags: z.record(z.string(), z.string()) });

export function stackTag(flags: Flags): number {
  const { project, backend, stack } = openStack(flags);
  const key = `.pulumi/stacks/${project.name}/${stack}.pulumi-tags`;
  const text = backend.bucket.read(key);
  const { tags } = text === undefined ? { tags: {} as Record<string, string> } : tagsSchema.parse(JSON.parse(text));
  const save = (next: Record<string, string>): void => backend.bucket.write(key, JSON.stringify({ version: 1, tags: next }));
  const [verb, name = "", value = ""] = flags.words;
  switch (verb) {
    case "ls":
      print(
        flags.has("json")
          ? JSON.stringify(tags, null, 2)
          : Object.entries(tags)
              .map(([k, v]) => `${k} ${v}`)
              .join("\n"),
      );
      return EXIT_CODE.ok;
    case "get":
      if (tags[name] === undefined) throw new CliError(`stack tag '${name}' not found for stack '${stack}'`);
      print(tags[name]);
      return EXIT_CODE.ok;
    case "set":
      save({ ...tags, [name]: value });
      return EXIT_CODE.ok;
    case "rm": {
      const { [name]: _gone, ...rest } = tags;
      save(rest);
      return EXIT_CODE.ok;
    }
    default:
      throw new CliError("usage: pulumi stack tag ls|get|set|rm", EXIT_CODE.usage);
  }
}

export function showStack(flags: Flags): number {
  const { backend, project, stack } = openStack(flags);
  if (flags.has("show-name")) {
    print(stack);
    return EXIT_CODE.ok;
  }
  const { resources } = loadSnapshot(backend.load(project.name, stack));
  print(`Current stack is ${stack}:\n    Managed by ${os.hostname()}\nCurrent stack resources (${resources.length}):`);
  for (const { type, urn } of resources) print(`    ${type.padEnd(50)} ${urn.split("::").pop()}`);
  return EXIT_CODE.ok;
}

export function cancel(flags: Flags): number {
  const { project, backend, stack } = openStack(flags, flags.words[0] ?? flags.text("stack"));
  if (!flags.has("yes")) throw new CliError("--yes must be passed in to proceed when running in non-interactive mode", EXIT_CODE.usage);
  breakLocks(backend.bucket, project.name, stack);
  print(`The currently running update for '${stack}' has been canceled!`);
  return EXIT_CODE.ok;
}

export function whoami(flags: Flags): number {
  const url = backendUrl(optionalProject(flags)?.backendUrl);
  const user = os.userInfo().username;
  print(flags.has("json") ? JSON.stringify({ user, url }) : flags.has("verbose") ? `User: ${user}\nBackend URL: ${url}` : user);
  return EXIT_CODE.ok;
}

export function login(flags: Flags): number {
  const url = flags.has("local") ? "file://~" : flags.words[0];
  if (url === undefined) throw unsupported("the login to Pulumi Cloud");
  // Opening it tells whether it can be used.
  new Backend(url, findProjectFile(workDir(flags)) === undefined ? workDir(flags) : loadProject(workDir(flags)).root);
  saveLogin(url);
  print(`Logged in to ${os.hostname()} as ${os.userInfo().username} (${url})`);
  return EXIT_CODE.ok;
}

export function logout(): number {
  const url = currentLogin();
  saveLogin(undefined);
  print(url === undefined ? "Not logged in" : `Logged out of ${url}`);
  return EXIT_CODE.ok;
}
