import * as pulumi from "@pulumi/pulumi";
import { HomelabError } from "../common/errors";
import type { SecretReader } from "./program";

/** Gives decrypted values to the program as secret outputs. */
export function createSecretReader(entries: ReadonlyMap<string, Readonly<Record<string, string>>>): SecretReader {
  return {
    get(path, key) {
      const value = entries.get(path)?.[key];
      if (value === undefined) {
        throw new HomelabError("E_SECRET_MISSING", `there is no secret "${key}" in ${path}`, {
          subject: `secrets/common/${path}.yaml`,
          hint: "add it with sops, or restore the file from Git",
        });
      }
      return pulumi.secret(value);
    },
    all: () => entries,
  };
}
