import { defineCommand } from "../cli/command";
import { JSON_OUTPUT, LAB, YES } from "../cli/flags";

export const command = defineCommand({
  group: "secrets",
  summary: "unseals the running Vault, makes or revokes a root token, and finds what is no longer in Git",
  flags: [LAB, JSON_OUTPUT],
  verbs: {
    status: { summary: "says whether it is sealed" },
    unseal: { summary: "unseals it with the keys of secrets/vault" },
    root: { summary: "makes a root token from the unseal keys, and prints it" },
    revoke: { summary: "revokes the token that comes on standard input" },
    orphans: { summary: "prints the entries that are not in Git; exits with 3 where there are some" },
    delete: {
      summary: "deletes entries that are not in Git, with all their versions",
      words: [{ name: "entry", help: "what orphans prints", many: true }],
      notes: "Asks first with the name of the homelab, but not in the lab. Without a terminal and without --yes it refuses.",
      flags: [YES],
    },
  },
  run: async (args, session, verb) => (await import("../secrets/manage-vault")).manageVault(verb, args, session),
});
