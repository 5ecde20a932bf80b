import { defineCommand } from "../cli/command";

export const command = defineCommand({
  group: "more",
  place: 2,
  summary: "writes a new part of the homelab: a stack, a VM, a module of the platform or an application",
  verbs: {
    stack: {
      summary: "adds a stack of the kind of another one: its entry in site/stacks.ts, its VMs with free addresses, its settings",
      words: [{ name: "name", help: "the new stack" }],
      flags: [{ name: "like", value: "STACK", help: "needed: the stack that it is like" }],
      examples: ["homelab new stack stg --like dev"],
    },
    vm: {
      summary: "adds a VM of the kind of another one to a stack, at a free address; nothing runs on it yet",
      words: [{ name: "name", help: "the new VM" }],
      flags: [
        { name: "stack", value: "STACK", help: "needed: the stack that owns it" },
        { name: "like", value: "VM", help: "needed: the VM that it is like" },
      ],
      examples: ["homelab new vm build-01 --stack dev --like my-host"],
    },
    module: {
      summary: "adds a module of the platform that is one chart: its folder with a test, its line in the catalogue, a stand-in of the chart for the lab",
      words: [{ name: "name", help: "the new module" }],
      flags: [
        { name: "chart", value: "ADDRESS", help: "needed: the chart's repository and, after a slash, its name; https:// or oci://" },
        { name: "version", value: "VERSION", help: "needed: exact version of the chart" },
        { name: "stack", value: "STACK", help: "a stack whose row in site/stacks.ts gets the module" },
      ],
      examples: ["homelab new module valkey --chart https://charts.example.org/valkey --version 1.2.3 --stack dev"],
    },
    app: {
      summary: "adds an application to a stack: its file in site/apps/ and its place in site/stacks.ts",
      words: [{ name: "name", help: "the new application" }],
      flags: [
        { name: "image", value: "IMAGE", help: "needed: the image, with registry and tag or digest" },
        { name: "stack", value: "STACK", help: "needed: the stack that runs it" },
        { name: "port", value: "PORT", count: true, help: "the port that the container listens on (default 8080)" },
        { name: "host", value: "NAME", help: "host name without the domain (default: none, it is reached inside the cluster only)" },
      ],
      examples: ["homelab new app whoami --image docker.io/traefik/whoami:v1.10.3 --stack dev --host dev.whoami"],
    },
  },
  run: async (args, session, verb) => (await import("../begin/new-parts")).newPart(verb, args, session),
});
