/**
 * The one module that reads the process environment. It holds the names of variables that one folder sets and another reads.
 */
export const ENV = {
  /** `ssh://user@host:port` of a bastion through which every host is reached. */
  bastion: "HOMELAB_BASTION",
  /** Private key file (OpenSSH) for the bastion. */
  bastionKeyFile: "HOMELAB_BASTION_KEY_FILE",
  /** The bastion's own key as in known_hosts (`ssh-ed25519 AAAA…`). Without it, any key is accepted. */
  bastionHostKey: "HOMELAB_BASTION_HOST_KEY",
  /** URL of the lab's chart stand-ins; set only in the lab, where the Kubernetes provider reads it instead of running `helm`. */
  chartStandIn: "HOMELAB_CHART_STAND_IN",
  /** Folder (0700) through which previews hand planned outputs downstream; see common/planned-outputs.ts. */
  plannedOutputsDir: "HOMELAB_PLANNED_OUTPUTS_DIR",
  /** Folder of SOPS files to use instead of `secrets/`. */
  secretsDir: "HOMELAB_SECRETS_DIR",
  /** Folder in which Vault's first boot keeps its encrypted keys, instead of `secrets/vault/`. */
  vaultKeysDir: "HOMELAB_VAULT_KEYS_DIR",
  /** Address of the Vault that a first boot is for, as Vault's own tools name it. */
  vaultAddress: "VAULT_ADDR",
  /** Folder of the lab's files (default `.lab` in the checkout). */
  labDir: "HOMELAB_LAB_DIR",
  /** Secret of the API token of Proxmox, for `homelab init --proxmox`. */
  proxmoxToken: "HOMELAB_PROXMOX_TOKEN",
  ageKeyFile: "SOPS_AGE_KEY_FILE",
  ageKey: "SOPS_AGE_KEY",
  /** `<salt>:<key>` (base64): the key that the passphrase gives with that salt, to save deriving it; see engine/secrets/passphrase.ts. */
  passphraseKey: "HOMELAB_PASSPHRASE_KEY",
  /** CommonJS file that the embedded engine loads into a program's process before the SDK; see stacks/preload.ts. */
  programPreload: "HOMELAB_PROGRAM_PRELOAD",
  /** Set by the embedded engine for a program whose debug messages it shows (`--debug`). */
  programDebug: "HOMELAB_PROGRAM_DEBUG",
  /** The command that clears a stack's lock, for the embedded engine's messages, with `<stack>` in it; set by the orchestrator. */
  unlockCommand: "HOMELAB_UNLOCK_COMMAND",
  /** The command that settles creations that a killed run left pending, for the same messages, with `<stack>` in it; set by the orchestrator. */
  pendingCommand: "HOMELAB_PENDING_COMMAND",
  /**
   * What a run is about to delete or replace, for a stack's backup command:
   * `{"version":1,"stack":…,"resources":[{"what":…,"how":…}]}`; set by the orchestrator.
   */
  backup: "HOMELAB_BACKUP",
  /** Folder of provider plugins for the embedded engine, instead of `providers/`. */
  bundledProviders: "HOMELAB_BUNDLED_PROVIDERS",
} as const;

/** The value of a variable; empty counts as unset. */
export function readEnv(name: string): string | undefined {
  const value = process.env[name];
  return value === undefined || value === "" ? undefined : value;
}

/** Sets a variable of this process, unless it is set: for a library that has no other way to be configured. */
export function setOwnEnv(name: string, value: string): void {
  process.env[name] ??= value;
}

/** Makes the environment of this process this one, for a process that runs one command after another. */
export function replaceOwnEnv(env: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env)) if (!Object.hasOwn(env, name)) delete process.env[name];
  Object.assign(process.env, env);
}

/** The variable as it stands: undefined when unset, "" when set and empty (an empty passphrase is a passphrase). */
export function readRawEnv(name: string): string | undefined {
  return process.env[name];
}

/** A copy of the environment for a child process with changes; `undefined` removes a variable. */
export function childEnv(changes: Readonly<Record<string, string | undefined>> = {}): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...process.env, ...changes })) if (value !== undefined) env[name] = value;
  return env;
}
