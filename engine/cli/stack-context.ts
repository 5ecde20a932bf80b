/** What most commands start from: project, backend, stack, its settings and its secrets. */
import * as path from "node:path";
import { readEnv } from "../../common/env";
import { Backend } from "../backend/backend";
import type { RawDeployment } from "../backend/checkpoint";
import { newManifest } from "../backend/checkpoint";
import { backendUrl } from "../backend/open-bucket";
import { finishPrepared, StackSettings, settingsFile } from "../config/stack-settings";
import { CliError, EXIT_CODE, unsupported } from "../errors";
import { PassphraseSecrets } from "../secrets/passphrase";
import { deserializeSnapshot, type SecretsCodec, serializeSnapshot } from "../snapshot/serialize";
import type { Snapshot } from "../snapshot/types";
import { findProjectFile, loadProject, type Project, parseStackName } from "../workspace/project";
import { selectedStack } from "../workspace/pulumi-home";
import type { Flags } from "./flags";

export const workDir = (flags: Flags): string => path.resolve(flags.text("cwd") ?? ".");

/** The project where there is one: some commands work without. */
export function optionalProject(flags: Flags): Project | undefined {
  return findProjectFile(workDir(flags)) === undefined ? undefined : loadProject(workDir(flags));
}

export function openBackend(flags: Flags, project: Project | undefined): Promise<Backend> {
  return Backend.open(backendUrl(project?.backendUrl), project?.root ?? workDir(flags));
}

export interface StackContext {
  project: Project;
  backend: Backend;
  stack: string;
  settings: StackSettings;
}

/** A stack's name as people read it: `-Q` asks for organisation and project too. */
export const shownStack = (flags: Flags, project: Project, stack: string): string =>
  flags.has("fully-qualify-stack-names") ? `organization/${project.name}/${stack}` : stack;

/** The stack that flags, environment or selection name. @throws CliError (exit code 6) where it does not exist */
export async function openStack(flags: Flags, name = flags.text("stack")): Promise<StackContext> {
  const project = loadProject(workDir(flags));
  const backend = await openBackend(flags, project);
  const wanted = name ?? readEnv("PULUMI_STACK") ?? selectedStack(project, backend.url);
  if (wanted === undefined) throw new CliError("no stack selected; please use `pulumi stack select` or `pulumi stack init` to choose one");
  const { project: projectName, stack } = parseStackName(wanted, project.name);
  if (projectName !== project.name) throw new CliError(`provided project name "${projectName}" doesn't match Pulumi.yaml`);
  if (!(await backend.exists(project.name, stack))) throw new CliError(`no stack named '${wanted}' found`, EXIT_CODE.stackNotFound);
  const file = settingsFile(project, stack, flags.text("config-file"));
  await finishPrepared(file, project.name, async () => stateSecrets(await backend.load(project.name, stack))?.salt);
  return { project, backend, stack, settings: new StackSettings(file, project.name) };
}

/** The secrets that a state was written with; undefined where it names none. */
export function stateSecrets(latest: RawDeployment | undefined): PassphraseSecrets | undefined {
  const provider = latest?.secrets_providers;
  if (provider === undefined || provider === null) return undefined;
  if (provider.type !== "passphrase") throw unsupported(`secrets provider ${provider.type}`);
  const { state } = provider;
  const salt = typeof state === "object" && state !== null && "salt" in state ? state.salt : undefined;
  if (typeof salt !== "string") throw new CliError("the state names the passphrase provider without a salt");
  return new PassphraseSecrets(salt);
}

const noSecrets: SecretsCodec = {
  encrypt: () => {
    throw new CliError("the state has no secrets provider");
  },
  decrypt: () => {
    throw new CliError("the state has no secrets provider, but holds an encrypted value");
  },
};

export function loadSnapshot(latest: RawDeployment | undefined): Snapshot {
  if (latest === undefined) return { resources: [], pendingOperations: [] };
  return deserializeSnapshot(latest, stateSecrets(latest) ?? noSecrets);
}

/** Encrypts each plaintext once in a run, so each operation has new ciphertexts, but does not encrypt the whole state at each write. */
export function cachingCodec(secrets: PassphraseSecrets): SecretsCodec {
  const known = new Map<string, string>();
  return {
    decrypt: (ciphertext) => secrets.decrypt(ciphertext),
    encrypt: (plaintext) => {
      const found = known.get(plaintext);
      if (found !== undefined) return found;
      const made = secrets.encrypt(plaintext);
      known.set(plaintext, made);
      return made;
    },
  };
}

/** `secrets_providers` of a state. */
export const passphraseProvider = (salt: string): { type: string; state: { salt: string } } => ({ type: "passphrase", state: { salt } });

export function renderDeployment(snapshot: Snapshot, codec: SecretsCodec, salt: string, previous: RawDeployment | undefined): RawDeployment {
  return {
    manifest: newManifest(),
    secrets_providers: passphraseProvider(salt),
    ...serializeSnapshot(snapshot, codec),
    metadata: previous?.metadata ?? {},
  };
}
