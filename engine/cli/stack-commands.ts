/** `stack init|select|ls|rm|rename|history|tag`, `stack` itself and `cancel`. */
import * as fs from "node:fs";
import * as os from "node:os";
import { deploymentSchema, newManifest } from "../backend/checkpoint";
import { historyLength, moveHistory } from "../backend/history";
import { breakLocks, lockStack } from "../backend/locks";
import { StackSettings, settingsFile } from "../config/stack-settings";
import { ago, duration } from "../display/relative-time";
import { CliError, EXIT_CODE, unsupported } from "../errors";
import { exactJson } from "../wire/exact-json";
import { mapValue, type Value } from "../wire/values";
import { loadProject, parseStackName } from "../workspace/project";
import { selectedStack, selectStack } from "../workspace/pulumi-home";
import { copySettings } from "./config-commands";
import type { Flags } from "./flags";
import { pageOf, recordedHistory } from "./history-view";
import { outputTable, rawResources } from "./output-command";
import { openBackend, openStack, optionalProject, passphraseProvider, type StackContext, shownStack, workDir } from "./stack-context";
import { tagsKey } from "./stack-tags";
import { ask, confirm, isInteractive, print, table } from "./terminal";

export async function stackInit(flags: Flags): Promise<number> {
  const project = loadProject(workDir(flags));
  const provider = flags.text("secrets-provider");
  if (provider !== undefined && !["default", "passphrase", ""].includes(provider)) throw unsupported(`secrets provider ${provider}`);
  const name = flags.words[0] ?? flags.text("stack") ?? (isInteractive(flags) ? await ask("Please enter your desired stack name: ") : undefined);
  if (name === undefined) throw new CliError("missing stack name", EXIT_CODE.usage);
  const backend = await openBackend(flags, project);
  const { project: owner, stack } = parseStackName(name, project.name);
  if (owner !== project.name) throw new CliError(`provided project name "${owner}" doesn't match Pulumi.yaml`);
  if (await backend.exists(project.name, stack)) throw new CliError(`stack 'organization/${project.name}/${stack}' already exists`);
  const settings = new StackSettings(settingsFile(project, stack, flags.text("config-file")), project.name);
  const secrets = settings.secrets();
  // A passphrase that does not fit existing settings must not make a stack that nobody can use.
  secrets.unlock();
  await backend.create(project.name, stack);
  await backend.save(project.name, stack, { manifest: newManifest(), secrets_providers: passphraseProvider(secrets.salt), metadata: {} });
  const source = flags.text("copy-config-from");
  if (source !== undefined) {
    const from = new StackSettings(settingsFile(project, parseStackName(source, project.name).stack, undefined), project.name);
    await copySettings(from, settings, Object.keys(from.values()));
  }
  if (!flags.has("no-select")) selectStack(project, backend.url, `organization/${project.name}/${stack}`);
  process.stderr.write(`Created stack '${shownStack(flags, project, stack)}'\n`);
  return EXIT_CODE.ok;
}

export async function stackSelect(flags: Flags): Promise<number> {
  const project = loadProject(workDir(flags));
  const backend = await openBackend(flags, project);
  const name = flags.words[0] ?? flags.text("stack") ?? (isInteractive(flags) ? await ask("Please enter a stack name: ") : undefined);
  if (name === undefined) throw new CliError("no stack name given", EXIT_CODE.usage);
  const { project: owner, stack } = parseStackName(name, project.name);
  if (!(await backend.exists(owner, stack))) {
    if (flags.has("create")) return stackInit(flags);
    throw new CliError(`no stack named '${name}' found`, EXIT_CODE.stackNotFound);
  }
  selectStack(project, backend.url, `organization/${owner}/${stack}`);
  return EXIT_CODE.ok;
}

export async function stackUnselect(flags: Flags): Promise<number> {
  const project = loadProject(workDir(flags));
  selectStack(project, (await openBackend(flags, project)).url, undefined);
  print("Stack was unselected");
  return EXIT_CODE.ok;
}

export async function stackLs(flags: Flags): Promise<number> {
  const project = optionalProject(flags);
  const backend = await openBackend(flags, project);
  const selected = project && selectedStack(project, backend.url);
  const found = await backend.list(flags.has("all") ? undefined : (flags.text("project") ?? project?.name));
  const stacks = found.map(({ project: owner, stack, lastUpdate, resourceCount, updateInProgress }) => ({
    name: owner === project?.name && !flags.has("fully-qualify-stack-names") ? stack : `organization/${owner}/${stack}`,
    current: selected === `organization/${owner}/${stack}`,
    ...(lastUpdate === undefined ? {} : { lastUpdate: new Date(lastUpdate).toISOString() }),
    ...(updateInProgress ? { updateInProgress } : {}),
    ...(resourceCount === undefined ? {} : { resourceCount }),
  }));
  if (flags.json) print(JSON.stringify(stacks, null, 2));
  else {
    const rows = stacks.map(({ name, current, lastUpdate, resourceCount, updateInProgress }) => [
      `${name}${current ? "*" : ""}`,
      updateInProgress ? "in progress" : lastUpdate === undefined ? "n/a" : ago(Date.parse(lastUpdate), Date.now()),
      String(resourceCount ?? "n/a"),
    ]);
    print(table([["NAME", "LAST UPDATE", "RESOURCE COUNT"], ...rows]));
  }
  return EXIT_CODE.ok;
}

export async function stackRm(flags: Flags): Promise<number> {
  const ctx = await openStack(flags, flags.words[0] ?? flags.text("stack"));
  const shown = shownStack(flags, ctx.project, ctx.stack);
  await confirm(flags, `This will permanently remove the '${shown}' stack!`, shown);
  await removeStack(ctx, flags);
  return EXIT_CODE.ok;
}

/** @throws CliError where it still has resources, unless --force was given */
export async function removeStack({ project, backend, stack, settings }: StackContext, flags: Flags): Promise<void> {
  const shown = shownStack(flags, project, stack);
  const unlock = await lockStack(backend.bucket, project.name, stack);
  try {
    const count = (await backend.load(project.name, stack))?.resources?.length ?? 0;
    if (count > 0 && !flags.has("force"))
      throw new CliError(
        `'${shown}' still has resources; removal rejected. Possible actions:\n- Make sure that '${shown}' is the stack that you want to destroy\n- Run \`pulumi destroy\` to delete the resources, then run \`pulumi stack rm\`\n- Run \`pulumi stack rm --force\` to override this error`,
      );
    await backend.remove(project.name, stack);
    if (flags.has("remove-backups")) await backend.removeBackups(project.name, stack);
    if (!flags.has("preserve-config")) fs.rmSync(settings.file, { force: true });
    if (selectedStack(project, backend.url) === `organization/${project.name}/${stack}`) selectStack(project, backend.url, undefined);
  } finally {
    await unlock();
  }
  print(`Stack '${shown}' has been removed!`);
}

export async function stackHistory(flags: Flags): Promise<number> {
  const { project, backend, stack, settings } = await openStack(flags);
  const entries = await recordedHistory(backend, project.name, stack, settings, { pageSize: flags.number("page-size"), page: flags.number("page") });
  if (flags.json) {
    print(exactJson(entries, 2));
    return EXIT_CODE.ok;
  }
  const { skip } = pageOf(flags.number("page-size"), flags.number("page"));
  let version = (await historyLength(backend, project.name, stack)) - skip;
  for (const { kind, result, startTime, endTime, message, environment, resourceChanges: counts = {} } of entries) {
    const changes = `+${counts["create"] ?? 0}-${counts["delete"] ?? 0}~${counts["update"] ?? 0} ${counts["same"] ?? 0}`;
    const [from, to] = [Date.parse(startTime), Date.parse(endTime)];
    print(`Version: ${version--}\nUpdateKind: ${kind}\nStatus: ${result}\nMessage: ${message}`);
    print(`${changes} Updated ${ago(from, Date.now())} took ${duration(Math.round((to - from) / 1000))}`);
    for (const name of Object.keys(environment).sort()) print(`    ${name}: ${environment[name]}`);
    print("");
  }
  return EXIT_CODE.ok;
}

/** A state's texts with the stack's new name: in URNs everywhere (parents, dependencies, providers, references), and in the root's own name. */
function renamed(latest: Value, project: string, from: string, to: string): Value {
  const prefix = (name: string): string => `urn:pulumi:${name}::${project}::`;
  const root = (name: string): string => `${prefix(to)}pulumi:pulumi:Stack::${project}-${name}`;
  return mapValue(latest, (item) => {
    if (typeof item !== "string" || !item.startsWith(prefix(from))) return item;
    const urn = `${prefix(to)}${item.slice(prefix(from).length)}`;
    return urn === root(from) ? root(to) : urn;
  });
}

export async function stackRename(flags: Flags): Promise<number> {
  const { project, backend, stack, settings } = await openStack(flags);
  const { stack: next } = parseStackName(flags.words[0] ?? "", project.name);
  if (await backend.exists(project.name, next)) throw new CliError(`stack 'organization/${project.name}/${next}' already exists`);
  const unlock = await lockStack(backend.bucket, project.name, stack);
  try {
    const latest = await backend.load(project.name, stack);
    await backend.create(project.name, next);
    if (latest !== undefined) await backend.save(project.name, next, deploymentSchema.parse(renamed(latest as Value, project.name, stack, next)));
    await moveHistory(backend, project.name, stack, next);
    const tags = await backend.bucket.read(tagsKey(project.name, stack));
    if (tags !== undefined) await backend.bucket.write(tagsKey(project.name, next), tags);
    await backend.remove(project.name, stack);
    if (fs.existsSync(settings.file)) fs.renameSync(settings.file, settingsFile(project, next, undefined));
    if (selectedStack(project, backend.url) === `organization/${project.name}/${stack}`)
      selectStack(project, backend.url, `organization/${project.name}/${next}`);
  } finally {
    await unlock();
  }
  print(`Renamed ${shownStack(flags, project, stack)} to ${shownStack(flags, project, next)}`);
  return EXIT_CODE.ok;
}

export async function showStack(flags: Flags): Promise<number> {
  const { backend, project, stack } = await openStack(flags);
  if (flags.has("show-name")) {
    print(shownStack(flags, project, stack));
    return EXIT_CODE.ok;
  }
  const latest = await backend.load(project.name, stack);
  print(`Current stack is ${shownStack(flags, project, stack)}:\n    Managed by ${os.hostname()}`);
  if (latest !== undefined) print(`    Last updated: ${latest.manifest.time}\n    Pulumi version used: ${latest.manifest.version}`);
  const resources = rawResources(latest);
  print(`Current stack resources (${resources.length}):`);
  const name = (urn: string): string => (flags.has("show-urns") ? urn : (urn.split("::").at(-1) ?? urn));
  const rows = resources.map(({ type, urn, id }) => [type, name(urn), ...(flags.has("show-ids") ? [id ?? ""] : [])]);
  if (rows.length > 0) print(table([["TYPE", "NAME", ...(flags.has("show-ids") ? ["ID"] : [])], ...rows], "    "));
  print(outputTable(latest, flags.has("show-secrets")));
  return EXIT_CODE.ok;
}

export async function cancel(flags: Flags): Promise<number> {
  const { project, backend, stack } = await openStack(flags, flags.words[0] ?? flags.text("stack"));
  await confirm(flags, `This will irreversibly cancel the currently running update for '${stack}'!`, stack);
  await breakLocks(backend.bucket, project.name, stack);
  print(`The currently running update for '${stack}' has been canceled!`);
  return EXIT_CODE.ok;
}
