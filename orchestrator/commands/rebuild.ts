import { defineCommand } from "../cli/command";
import { APPROVE, RUN_FLAGS, WAIT, YES } from "../cli/flags";

/** It is several runs, each with a report of its own in its folder. */
const OF_ONE_RUN = new Set(["only", "markdown", "junit", "report"]);

export const command = defineCommand({
  group: "mend",
  place: 2,
  summary: "builds the whole homelab from bare Proxmox hosts; with --existing it makes new states from a homelab whose states are lost",
  notes:
    "Where the state backend runs in the homelab itself, the stacks that serve it are built first, with their states in a folder. Then these states move to the backend, and the other stacks follow. It refuses where the backend already holds states. Run again after it was cut off or failed, it continues. Except in the lab, it asks for the homelab's name to be typed first, and shows what each run would change.",
  flags: [
    { name: "to", value: "URL", help: "the state backend to use: file://<folder> or s3://<bucket>/<prefix>?endpoint=… (default: PULUMI_BACKEND_URL)" },
    { name: "existing", help: "the homelab exists and its states are lost: take existing resources into new states, and create what is missing" },
    { name: "without-images", help: "continue although the homelab's registry lacks images of applications" },
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
