/** `stack export` and `stack import` (engine-contract G6). */
import * as fs from "node:fs";
import { z } from "zod";
import { SIGNATURE, SIGNATURE_KEY } from "../../common/signatures";
import { deploymentSchema, type RawDeployment, refuseFeatures, versionOf } from "../backend/checkpoint";
import { recordedState } from "../backend/history";
import { lockStack } from "../backend/locks";
import { CliError, EXIT_CODE, unsupported } from "../errors";
import { checkIntegrity } from "../snapshot/integrity";
import { deserializeSnapshot, type SecretsCodec } from "../snapshot/serialize";
import { exactJson, parseExactJson } from "../wire/exact-json";
import { isObject, isSecret, type Value } from "../wire/values";
import type { Flags } from "./flags";
import { cachingCodec, loadSnapshot, openStack, renderDeployment, stateSecrets } from "./stack-context";
import { print } from "./terminal";

/** Secrets of a raw deployment as plaintext instead of ciphertext. */
function decrypted(value: Value, decrypt: (ciphertext: string) => string): Value {
  if (Array.isArray(value)) return value.map((item) => decrypted(item, decrypt));
  if (!isObject(value)) return value;
  if (isSecret(value) && typeof value["ciphertext"] === "string") {
    const text = decrypt(value["ciphertext"]);
    // A secret inside it was encrypted together with it.
    const plaintext = text.includes(SIGNATURE.secret) ? exactJson(decrypted(parseExactJson(text) as Value, (inner) => inner)) : text;
    return { [SIGNATURE_KEY]: SIGNATURE.secret, plaintext };
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decrypted(item, decrypt)]));
}

export async function stackExport(flags: Flags): Promise<number> {
  const { project, backend, stack } = await openStack(flags);
  const version = flags.number("version");
  const earlier = version === undefined ? undefined : await recordedState(backend, project.name, stack, version);
  const latest = version === undefined ? await backend.load(project.name, stack) : earlier;
  const secrets = stateSecrets(latest);
  const deployment =
    flags.has("show-secrets") && secrets !== undefined ? decrypted((latest ?? {}) as Value, (ciphertext) => secrets.decrypt(ciphertext)) : latest;
  const text = `${exactJson({ ...(version === undefined ? await backend.exportVersion(project.name, stack) : versionOf(latest)), deployment: deployment ?? {} }, 4)}\n`;
  const file = flags.text("file");
  if (file === undefined) process.stdout.write(text);
  else fs.writeFileSync(file, text, { mode: 0o600 });
  return EXIT_CODE.ok;
}

/** @throws CliError for what is no deployment */
export function parseDeployment(raw: unknown): RawDeployment {
  const parsed = deploymentSchema.safeParse(raw);
  if (!parsed.success) throw new CliError(`could not read the deployment: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

const envelopeSchema = z.looseObject({ version: z.number(), features: z.array(z.string()).optional(), deployment: deploymentSchema });

/** Files that are easily mistaken for an export, and what to do with each. */
function mistaken(raw: unknown): string | undefined {
  if (typeof raw !== "object" || raw === null) return undefined;
  if ("checkpoint" in raw)
    return "it is a stack's file or a backup of one (a checkpoint), and not what `stack export` writes. Turn it into that first: jq '{version, features: (.features // []), deployment: .checkpoint.latest}'";
  if ("manifest" in raw && !("deployment" in raw))
    return 'it is a deployment without its envelope: wrap it as { "version": 3, "deployment": … }, which is what `stack export` writes';
  if ("startTime" in raw && "resourceChanges" in raw)
    return "it is an entry of the history; the state of that time is in the file beside it, `….checkpoint.json`";
  return undefined;
}

function readBytes(file: string | undefined): Buffer {
  try {
    return fs.readFileSync(file ?? 0);
  } catch (cause) {
    throw new CliError(`could not open ${file ?? "standard input"}`, 1, { cause });
  }
}

function readEnvelope(file: string | undefined): z.infer<typeof envelopeSchema> {
  const bytes = readBytes(file);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw new CliError(`${file ?? "standard input"} is compressed: unpack it first (gunzip)`);
  let raw: unknown;
  try {
    raw = parseExactJson(bytes.toString("utf8"));
  } catch (cause) {
    throw new CliError(`could not read the deployment from ${file ?? "standard input"}`, 1, { cause });
  }
  const instead = mistaken(raw);
  if (instead !== undefined) throw new CliError(`${file ?? "standard input"} cannot be imported: ${instead}`);
  const parsed = envelopeSchema.safeParse(raw);
  if (!parsed.success) throw new CliError(`could not read the deployment: ${z.prettifyError(parsed.error)}`);
  // Older ones have another form, which the CLI still reads.
  if (parsed.data.version < 3) throw unsupported(`a deployment of version ${parsed.data.version}`);
  refuseFeatures(parsed.data.version, parsed.data.features ?? []);
  return parsed.data;
}

/** Pulumi Cloud encrypts for one stack of its own: the stack that is imported into uses its own secrets provider instead, as in the CLI. */
const isOfCloud = (deployment: RawDeployment): boolean => deployment.secrets_providers?.type === "service";

const cloudSecrets: SecretsCodec = {
  encrypt: (plaintext) => plaintext,
  decrypt: () => {
    throw new CliError(
      "the file's secrets are encrypted by Pulumi Cloud, which alone can decrypt them: export it again with `pulumi stack export --show-secrets`",
    );
  },
};

export async function stackImport(flags: Flags): Promise<number> {
  const { project, backend, stack, settings } = await openStack(flags);
  const file = flags.text("file");
  const { deployment } = readEnvelope(file);
  const unlock = await lockStack(backend.bucket, project.name, stack);
  try {
    const snapshot = isOfCloud(deployment) ? deserializeSnapshot(deployment, cloudSecrets) : loadSnapshot(deployment);
    const foreign = snapshot.resources.find((r) => !r.urn.startsWith(`urn:pulumi:${stack}::${project.name}::`));
    if (foreign !== undefined && !flags.has("force"))
      throw new CliError(
        `resource '${foreign.urn}' is not part of stack '${stack}' of project '${project.name}'; importing this file could be dangerous; rerun command with --force to proceed anyway`,
      );
    checkIntegrity(snapshot.resources, file ?? "standard input");
    const secrets = (isOfCloud(deployment) ? undefined : stateSecrets(deployment)) ?? settings.secrets();
    await backend.save(project.name, stack, renderDeployment(snapshot, cachingCodec(secrets), secrets.salt, deployment));
  } finally {
    await unlock();
  }
  print("Import complete.");
  return EXIT_CODE.ok;
}
