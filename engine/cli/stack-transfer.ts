/** `stack export` and `stack import` (engine-contract G6). */
import * as fs from "node:fs";
import { z } from "zod";
import { deploymentSchema, refuseFeatures } from "../backend/checkpoint";
import { lockStack } from "../backend/locks";
import { checkIntegrity } from "../snapshot/integrity";
import { exactJson, parseExactJson } from "../wire/exact-json";
import { isObject, isSecret, SIGNATURE, SIGNATURE_KEY, type Value } from "../wire/values";
import { CliError, EXIT_CODE, unsupported } from "./cli-error";
import type { Flags } from "./flags";
import { cachingCodec, loadSnapshot, openStack, renderDeployment, stateSecrets } from "./stack-context";
import { print } from "./terminal";

/** Secrets of a raw deployment as plaintext instead of ciphertext. */
function decrypted(value: Value, decrypt: (ciphertext: string) => string): Value {
  if (Array.isArray(value)) return value.map((item) => decrypted(item, decrypt));
  if (!isObject(value)) return value;
  if (isSecret(value) && typeof value["ciphertext"] === "string") {
    const text = decrypt(value["ciphertext"]);
    // A secret within it was encrypted with it.
    const plaintext = text.includes(SIGNATURE.secret) ? exactJson(decrypted(parseExactJson(text) as Value, (inner) => inner)) : text;
    return { [SIGNATURE_KEY]: SIGNATURE.secret, plaintext };
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decrypted(item, decrypt)]));
}

export async function stackExport(flags: Flags): Promise<number> {
  if (flags.text("version") !== undefined) throw unsupported("`stack export --version`");
  const { project, backend, stack } = await openStack(flags);
  const latest = await backend.load(project.name, stack);
  const secrets = stateSecrets(latest);
  const deployment =
    flags.has("show-secrets") && secrets !== undefined ? decrypted((latest ?? {}) as Value, (ciphertext) => secrets.decrypt(ciphertext)) : latest;
  const text = `${exactJson({ ...(await backend.exportVersion(project.name, stack)), deployment: deployment ?? {} }, 4)}\n`;
  const file = flags.text("file");
  if (file === undefined) process.stdout.write(text);
  else fs.writeFileSync(file, text, { mode: 0o600 });
  return EXIT_CODE.ok;
}

const envelopeSchema = z.looseObject({ version: z.number(), features: z.array(z.string()).optional(), deployment: deploymentSchema });

function readEnvelope(file: string | undefined): z.infer<typeof envelopeSchema> {
  let raw: unknown;
  try {
    raw = parseExactJson(file === undefined ? fs.readFileSync(0, "utf8") : fs.readFileSync(file, "utf8"));
  } catch (cause) {
    throw new CliError(`could not read the deployment from ${file ?? "standard input"}`, 1, { cause });
  }
  const parsed = envelopeSchema.safeParse(raw);
  if (!parsed.success) throw new CliError(`could not read the deployment: ${z.prettifyError(parsed.error)}`);
  refuseFeatures(parsed.data.version, parsed.data.features ?? []);
  return parsed.data;
}

export async function stackImport(flags: Flags): Promise<number> {
  const { project, backend, stack, settings } = await openStack(flags);
  const file = flags.text("file");
  const { deployment } = readEnvelope(file);
  const unlock = await lockStack(backend.bucket, project.name, stack);
  try {
    const snapshot = loadSnapshot(deployment);
    const foreign = snapshot.resources.find((r) => !r.urn.startsWith(`urn:pulumi:${stack}::${project.name}::`));
    if (foreign !== undefined && !flags.has("force"))
      throw new CliError(
        `resource '${foreign.urn}' is not part of stack '${stack}' of project '${project.name}'; importing this file could be dangerous; rerun command with --force to proceed anyway`,
      );
    checkIntegrity(snapshot.resources, file ?? "standard input");
    const secrets = stateSecrets(deployment) ?? settings.secrets();
    await backend.save(project.name, stack, renderDeployment(snapshot, cachingCodec(secrets), secrets.salt, deployment));
  } finally {
    await unlock();
  }
  print("Import complete.");
  return EXIT_CODE.ok;
}
