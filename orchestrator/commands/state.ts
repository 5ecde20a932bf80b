import { defineCommand } from "../cli/command";
import { JSON_OUTPUT, LOCKED_STACKS, QUERY_FLAGS, STACK, STACKS, YES } from "../cli/flags";

const ASKS = "Asks first with the name of the homelab, but not in the lab; without a terminal and without --yes it refuses. What was there is kept beside it.";

export const command = defineCommand({
  group: "mend",
  summary: "copies, restores, repairs, edits, unlocks and moves the stacks' states, and shows their history",
  flags: [...QUERY_FLAGS],
  verbs: {
    backup: {
      summary: "copies the stacks' states into a folder, with a checksum of each; secrets stay encrypted",
      words: [STACKS],
      flags: [{ name: "to", value: "DIR", help: "an empty or new folder (default: one by the time, in .homelab/backups)" }],
      examples: ["homelab state backup --to /mnt/safe/states"],
    },
    restore: {
      summary: "puts a copy in the place of the stacks' states, after a check of all of it",
      notes: ASKS,
      words: [STACKS],
      flags: [
        { name: "from", value: "DIR", help: "the folder that backup wrote, or one that the module state-backup did, with the age key of a recipient at hand" },
        YES,
      ],
      examples: ["homelab state restore dev --from .homelab/backups/2026-11-30T02-00-00.000Z"],
    },
    repair: {
      summary: "mends states that break the rules of a state: puts their entries in order and drops references to what is not there",
      notes: ASKS,
      words: [STACKS],
      flags: [YES],
    },
    forget: {
      summary: "takes a VM out of its stack's state, because it is gone with its node; the next `homelab up` makes it anew, and all that was in it",
      notes: `Nothing is asked of the node. ${ASKS}`,
      words: [STACK, { name: "vm", help: "the VM, as its file in site/vms is called" }],
      flags: [YES],
      examples: ["homelab state forget dev dev-vm"],
    },
    unlock: {
      summary: "says who holds the stacks, and clears the lock of those whose run is gone; the same as `homelab unlock`",
      words: [LOCKED_STACKS],
      flags: [YES],
      examples: ["homelab state unlock dev"],
    },
    history: {
      summary: "prints the last updates of the stacks, as the state backend has them",
      words: [STACKS],
      flags: [{ name: "count", value: "N", count: true, help: "how many of each stack (default 10)" }, JSON_OUTPUT],
    },
    migrate: {
      summary: "copies the stacks' states from one backend to another",
      words: [STACKS],
      flags: [
        { name: "from", value: "URL", help: "where they are (default: PULUMI_BACKEND_URL)" },
        { name: "to", value: "URL", help: "where they go: file://<folder> or s3://<bucket>/<prefix>?endpoint=…" },
        { name: "back", help: "undo the last migration" },
      ],
      examples: ["homelab state migrate --from file:///srv/state --to 's3://state?endpoint=minio.example.org'", "homelab state migrate --back"],
    },
  },
  run: async (args, session, verb) => (await import("../run/state-commands")).stateCommand(args, session, verb),
});
