import { defineCommand } from "../cli/command";
import { APPROVE, RUN_FLAGS, WAIT, YES } from "../cli/flags";

/** It is several runs, each with a report of its own in its folder. */
const OF_ONE_RUN = new Set(["only", "markdown", "junit", "report"]);

export const command = defineCommand({
  group: "mend",
  place: 2,
  summary: "builds the whole homelab from bare Proxmox hosts, or anew from what exists where its states are lost",
  notes:
    "Where the states' backend runs in the homelab itself, the stacks that serve it are built first, with states in a folder; then these move there, and the other stacks follow. Refuses where states are there. Run again, it goes on from where it ended. Asks for the name of the homelab first and shows what each run would change, but not in the lab.",
  flags: [
    { name: "to", value: "URL", help: "where the states are to be: file://<folder> or s3://<bucket>/<prefix>?endpoint=… (default: PULUMI_BACKEND_URL)" },
    { name: "existing", help: "the states are lost and the homelab is there: take what exists into new states, and build what is missing" },
    { name: "without-images", help: "do not stop where the homelab's registry lacks images of applications" },
    ...RUN_FLAGS.filter(({ name }) => !OF_ONE_RUN.has(name)),
    YES,
    APPROVE,
    WAIT,
  ],
  examples: [
    "homelab rebuild --lab",
    "homelab rebuild --to 's3://pulumi-state?endpoint=https://s3.example.org&region=main&s3ForcePathStyle=true'",
    "homelab rebuild --existing",
  ],
  run: async (args, session) => (await import("../rebuild/rebuild")).rebuild(args, session),
});
