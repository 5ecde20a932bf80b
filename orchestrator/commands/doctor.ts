import { defineCommand } from "../cli/command";
import { ENGINE, JSON_OUTPUT, LAB } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "says which engine, providers and tools a run would use, and why; finds what would make a run fail, and exits with 1 where it finds something",
  notes:
    "Looks at the program, secrets and key, the homelab's own authority, disk and earlier runs. Then it asks the homelab: the state backend, Proxmox (version, what the token may do, nodes, what storages take and their room, clock, certificate), each host that is built (SSH, clock, disk), Vault, the name server, and the certificate of each host name. Each line that is not well says what to do. It changes nothing.",
  flags: [LAB, ENGINE, { name: "local", help: "look at this machine only, and ask nothing outside it" }, JSON_OUTPUT],
  examples: ["homelab doctor", "homelab doctor --local --json"],
  run: async (args, session) => (await import("../doctor/doctor")).doctor(args, session),
});
