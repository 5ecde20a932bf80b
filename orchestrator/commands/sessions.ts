import { defineCommand } from "../cli/command";

const OPTIONS = { name: "options", value: "FILE", help: "a file of YAML with what it is to be (docs/sessions.md)" };

export const command = defineCommand({
  group: "look",
  summary: "prints what sessions of learners are made of, for kubectl",
  notes: "Asks no cluster and changes none. Sessions are machines of KubeVirt: apply what is printed where KubeVirt and CDI are, such as sandboxy.",
  verbs: {
    new: {
      summary: "prints a session: its namespace with quota and isolation, two machines, and their disks",
      notes:
        "The token by which the worker joins is made for this call, holds for half an hour, and is in what is printed: hand it to kubectl, and keep no file of it.",
      words: [{ name: "id", help: "its name: a-z, 0-9 and -" }],
      flags: [
        OPTIONS,
        { name: "ssh-key", value: "FILE", help: "public key of the learner" },
        { name: "running", value: "N", help: "how many sessions there are: one over the limit is refused" },
      ],
      examples: ["homelab sessions new a1 --options sessions.yaml --ssh-key id.pub --running 0 | kubectl apply -f -"],
    },
    reaper: {
      summary: "prints what deletes sessions whose time is over",
      flags: [{ name: "namespace", value: "NAME", help: "where it runs (default cks)" }],
      examples: ["homelab sessions reaper | kubectl apply -f -"],
    },
    "golden-image": {
      summary: "prints a Job that builds the image that sessions are cloned from, tests it and publishes it",
      flags: [OPTIONS],
      examples: ["homelab sessions golden-image --options golden-image.yaml | kubectl apply -f -"],
    },
  },
  run: async (args, session, verb) => (await import("../apps/sessions")).sessions(args, session, verb),
});
