import { defineCommand } from "../cli/command";

const OPTIONS = { name: "options", value: "FILE", help: "needed: a YAML file that describes it (docs/sessions.md)" };

const CLUSTER = { name: "stack", value: "NAME", help: "the stack in whose cluster it is applied; refused where that has the module kubevirt-sessions" };

export const command = defineCommand({
  group: "look",
  summary: "prints the manifests of learners' sessions, for kubectl",
  notes:
    "Asks no cluster and changes none. A session is two virtual machines of KubeVirt: apply the manifests in a cluster of the homelab that has KubeVirt and CDI.",
  verbs: {
    new: {
      summary: "prints a session: its namespace with quota and isolation, two machines, and their disks",
      notes:
        "Each call makes a new token by which the worker joins; it is valid for half an hour. It is part of the output: pipe this to kubectl, and keep no file of it.",
      words: [{ name: "id", help: "its name: a-z, 0-9 and -" }],
      flags: [
        OPTIONS,
        { name: "ssh-key", value: "FILE", help: "needed: file with the learner's public key" },
        { name: "running", value: "N", help: "needed: how many sessions run now; a session above the limit is refused" },
      ],
      examples: ["homelab sessions new a1 --options sessions.yaml --ssh-key id.pub --running 0 | kubectl apply -f -"],
    },
    reaper: {
      summary: "prints the manifests of the reaper, which deletes sessions that have expired",
      flags: [{ name: "namespace", value: "NAME", help: "the namespace where it runs (default cks)" }, CLUSTER],
      examples: ["homelab sessions reaper | kubectl apply -f -"],
    },
    "golden-image": {
      summary: "prints a Job that builds the image that sessions are cloned from, tests it and publishes it",
      flags: [OPTIONS, CLUSTER],
      examples: ["homelab sessions golden-image --options golden-image.yaml | kubectl apply -f -"],
    },
  },
  run: async (args, session, verb) => (await import("../apps/sessions")).sessions(args, session, verb),
});
