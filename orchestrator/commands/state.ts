import { defineCommand } from "../cli/command";
import { JSON_OUTPUT, LOCKED_STACKS, QUERY_FLAGS, STACK, STACKS, YES } from "../cli/flags";

const ASKS =
  "Asks for the homelab's name to be typed first, except in the lab; without a terminal it needs --yes, or it refuses. The states before it are copied to .homelab/backups (in the lab .lab/backups).";

export const command = defineCommand({
  group: "mend",
  summary: "copies, restores, repairs, unlocks and moves the stacks' states, takes a lost VM out of one, and shows their history",
  flags: [...QUERY_FLAGS],
  verbs: {
    backup: {
      summary: "copies the stacks' states into a folder, with a checksum for each; secrets stay encrypted",
      words: [STACKS],
      flags: [{ name: "to", value: "DIR", help: "a new or empty folder (default: one named by the time, in .homelab/backups, in the lab .lab/backups)" }],
      examples: ["homelab state backup --to /mnt/safe/states"],
    },
    restore: {
      summary: "checks a copy as a whole, then replaces the stacks' states by it",
      notes: ASKS,
      words: [STACKS],
      flags: [
        {
          name: "from",
          value: "DIR",
          help: "needed: the folder that `homelab state backup` wrote, or one that the module state-backup wrote (this one needs the age key of a recipient)",
        },
        YES,
      ],
      examples: ["homelab state restore dev --from .homelab/backups/2026-11-30T02-00-00.000Z"],
    },
    repair: {
      summary: "repairs states that break the integrity rules: orders their resources, and drops references to resources that are missing",
      notes: ASKS,
      words: [STACKS],
      flags: [YES],
    },
    forget: {
      summary: "takes a VM that was lost with its node, and all that was in it, out of its stack's state; the next `homelab up` creates them again",
      notes: `Asks nothing of the node. ${ASKS}`,
      words: [STACK, { name: "vm", help: "the VM, as its file in site/vms is called" }],
      flags: [YES],
      examples: ["homelab state forget dev dev-vm"],
    },
    unlock: {
      summary: "says which run holds each stack's lock, and clears the lock; the same as `homelab unlock`",
      words: [LOCKED_STACKS],
      flags: [YES],
      examples: ["homelab state unlock dev"],
    },
    history: {
      summary: "prints the last updates of the stacks from the state backend",
      words: [STACKS],
      flags: [{ name: "count", value: "N", count: true, help: "how many updates of each stack (default 10)" }, JSON_OUTPUT],
      examples: ["homelab state history dev --count 3"],
    },
    migrate: {
      summary: "copies the stacks' states from one backend to another, and checks the copies; the states at the old one stay",
      notes:
        "--back asks for the homelab's name to be typed first, except in the lab: it overwrites the states at the old backend and removes those at the new one. Without a terminal it needs --yes, or it refuses.",
      words: [STACKS],
      flags: [
        { name: "from", value: "URL", help: "where they are (default: PULUMI_BACKEND_URL, or backend.url in Pulumi.yaml)" },
        { name: "to", value: "URL", help: "where they go: file://<folder> or s3://<bucket>/<prefix>?endpoint=…" },
        { name: "back", help: "undo the last migration: what changed since is copied back, and the states at the new backend are removed" },
        YES,
      ],
      examples: ["homelab state migrate --from file:///srv/state --to 's3://state?endpoint=minio.example.org'", "homelab state migrate --back"],
    },
  },
  run: async (args, session, verb) => (await import("../run/state-commands")).stateCommand(args, session, verb),
});
