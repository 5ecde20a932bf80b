import { defineCommand } from "../cli/command";
import { JSON_OUTPUT, LAB, YES } from "../cli/flags";

export const command = defineCommand({
  group: "secrets",
  summary: "says whether Vault is sealed, unseals it, makes or revokes a root token, and finds entries that Git does not have",
  flags: [LAB, JSON_OUTPUT],
  verbs: {
    status: { summary: "says whether Vault is not initialised, sealed or open" },
    unseal: { summary: "unseals it with the keys of secrets/vault" },
    root: { summary: "makes a root token from the unseal keys, and prints it" },
    revoke: { summary: "reads a token from standard input and revokes it" },
    orphans: { summary: "prints the entries of Vault that Git does not have; exits with 3 where there are some" },
    delete: {
      summary: "deletes entries that Git does not have, with all their versions",
      words: [{ name: "entry", help: "as orphans prints it", many: true }],
      notes:
        "Asks for the homelab's name to be typed first, except in the lab. Without a terminal, and with --json, it needs --yes, or it refuses with exit code 4.",
      flags: [YES],
    },
  },
  run: async (args, session, verb) => (await import("../secrets/manage-vault")).manageVault(verb, args, session),
});
