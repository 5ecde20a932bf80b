import { defineCommand } from "../cli/command";

export const command = defineCommand({
  group: "more",
  place: 2,
  summary: "writes a new part of the homelab into site/",
  verbs: {
    stack: {
      summary: "adds a stack of the kind of another one: its entry of the matrix, its VMs with free addresses, its settings",
      words: [{ name: "name", help: "the new stack" }],
      flags: [{ name: "like", value: "STACK", help: "the stack that it is like" }],
      examples: ["homelab new stack stg --like dev"],
    },
    vm: {
      summary: "adds a VM of the kind of another one to a stack, at a free address; nothing runs on it yet",
      words: [{ name: "name", help: "the new VM" }],
      flags: [
        { name: "stack", value: "STACK", help: "the stack that owns it" },
        { name: "like", value: "VM", help: "the VM that it is like" },
      ],
      examples: ["homelab new vm build-01 --stack dev --like my-host"],
    },
  },
  run: async (args, session, verb) => (await import("../begin/new-parts")).newPart(verb, args, session),
});
