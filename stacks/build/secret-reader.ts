import * as pulumi from "@pulumi/pulumi";
import { HomelabError } from "../../common/errors";
import { publicHalfOf } from "../../common/openssh-key";
import { environmentPath } from "../../secrets/vault-paths";
import type { SecretReader } from "./context";

type Entries = ReadonlyMap<string, Readonly<Record<string, string>>>;

export interface SecretSources {
  stack: string;
  /** What the stack sees: common values, and over them its own. */
  entries: Entries;
  /** What all stacks share, for the one that fills Vault. */
  common: Entries;
  /** Paths for which the stack has values of its own. */
  own: ReadonlySet<string>;
}

/** Gives decrypted values to the program as secret outputs. */
export function createSecretReader({ stack, entries, common, own }: SecretSources): SecretReader {
  return {
    get(path, key) {
      const value = entries.get(path)?.[key];
      if (value === undefined) {
        throw new HomelabError("E_SECRET_MISSING", `there is no secret "${key}" in ${path}`, {
          subject: `secrets/common/${path}.yaml`,
          hint: "add it with `homelab secrets new`, or restore the file from Git",
        });
      }
      return pulumi.secret(value);
    },
    publicKey: (path, key) => publicHalfOf(entries.get(path)?.[key] ?? ""),
    all: () => common,
    own: () => new Map([...own].flatMap((path) => (entries.has(path) ? [[environmentPath(stack, path), entries.get(path) ?? {}] as const] : []))),
  };
}
