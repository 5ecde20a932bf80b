import { defineCommand, type Flag } from "../cli/command";
import { INVENTORY_FORMATS, JSON_OUTPUT, QUERY_FLAGS, YES } from "../cli/flags";

const HOST: Flag = { name: "host", value: "H[,H…]", help: "these hosts alone (default: all that are built and run)" };

export const command = defineCommand({
  group: "hosts",
  summary: "shows what the roles would change on the hosts now, changes it, or prints who the hosts are",
  flags: QUERY_FLAGS,
  verbs: {
    check: { summary: "says for each host what its roles would change; exits with 3 where there is something", flags: [HOST, JSON_OUTPUT] },
    diff: { summary: "as check, with the lines that would change", flags: [HOST, JSON_OUTPUT] },
    apply: {
      summary: "runs the roles on the hosts, and says what they changed",
      notes: "Asks first with the name of the homelab, but not in the lab. Without a terminal and without --yes it refuses.",
      flags: [HOST, JSON_OUTPUT, YES],
      examples: ["homelab hosts apply --host my-host --lab"],
    },
    inventory: {
      summary: "prints the hosts that are built, in the form of another program",
      flags: [{ name: "format", value: "NAME", choices: INVENTORY_FORMATS, help: "the form (default json)" }],
    },
  },
  run: async (args, session, verb) => (await import("../hosts/manage-hosts")).manageHosts(verb, args, session),
});
