import { defineCommand, type Flag } from "../cli/command";
import { INVENTORY_FORMATS, JSON_OUTPUT, QUERY_FLAGS, YES } from "../cli/flags";

const HOST: Flag = { name: "host", value: "H[,H…]", help: "only these hosts (default: all that are built and running)" };

export const command = defineCommand({
  group: "hosts",
  summary: "shows what the roles would change on the hosts now, changes it, or prints who the hosts are",
  flags: QUERY_FLAGS,
  verbs: {
    check: {
      summary: "says for each host whether its roles would change something; exits with 3 where one would, with 1 where a host failed",
      flags: [HOST, JSON_OUTPUT],
    },
    diff: { summary: "like check, with each operation that would change something, and the lines that differ", flags: [HOST, JSON_OUTPUT] },
    apply: {
      summary: "runs the roles on the hosts, and says what they changed",
      notes:
        "Asks for a yes first, except in the lab. Without a terminal, and with --json, it needs --yes, or it refuses with exit code 4. A role that fails ends the roles of its host, and the exit code is 1.",
      flags: [HOST, JSON_OUTPUT, YES],
      examples: ["homelab hosts apply --host my-host --lab"],
    },
    inventory: {
      summary: "prints the hosts that are built: as JSON, as an inventory of Ansible, or for ssh",
      flags: [{ name: "format", value: "NAME", choices: INVENTORY_FORMATS, help: "the form (default json)" }],
    },
  },
  run: async (args, session, verb) => (await import("../hosts/manage-hosts")).manageHosts(verb, args, session),
});
