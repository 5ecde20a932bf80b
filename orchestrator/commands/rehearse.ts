import { defineCommand } from "../cli/command";
import { JSON_OUTPUT } from "../cli/flags";

export const command = defineCommand({
  group: "lab",
  summary: "builds all stacks in a lab of its own and proves that they work, or injects faults into that",
  notes:
    "Without --faults: rebuilds from bare hosts (with the states in the homelab's own bucket, where it makes one), builds again with no change, asks each host name by HTTPS, reads each kubeconfig from Vault and opens its cluster, restores a copy of the states, loses the states and makes them anew from what exists, destroys. With --faults: each fault strikes a build, and is survived, fails clearly (an error that names what failed, and the next run goes on from there), or is a bug. Exits with 1 where something is wrong. The lab that `homelab lab start` starts is left alone.",
  flags: [
    { name: "faults", value: "NAME[,…]", help: "inject these faults of the lab, one after the other; all injects every one" },
    {
      name: "seed",
      value: "N",
      count: true,
      help: "with --faults: chooses where in the build the faults strike; the same number gives the same places (default 1)",
    },
    { name: "timeout", value: "MINUTES", count: true, help: "a command that takes longer counts as hanging (default 20)" },
    JSON_OUTPUT,
  ],
  examples: ["homelab rehearse", "homelab rehearse --faults all --seed 7", "homelab rehearse --faults proxmox.clone-lock-timeout,vault.sealed"],
  run: async (args, session) => (await import("../rehearse/rehearse")).rehearse(args, session),
});
