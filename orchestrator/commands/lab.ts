import { defineCommand } from "../cli/command";
import { JSON_OUTPUT, LAB_LATENCIES } from "../cli/flags";

const PORT = (first: number): string => `(default: as at the last start, at first ${first}; 0: any free one)`;

export const command = defineCommand({
  group: "lab",
  summary: "starts, stops or describes the embedded lab",
  verbs: {
    start: {
      summary: "starts the lab; one that was stopped continues with its state",
      flags: [
        {
          name: "latency",
          value: "NAME",
          choices: LAB_LATENCIES,
          help: "how long its servers take: default, the short delays that docs/lab.md lists; zero, no delay (default: default)",
        },
        { name: "proxy-port", value: "N", help: `port of its proxy ${PORT(18_080)}` },
        { name: "bastion-port", value: "N", help: `port of its bastion ${PORT(18_022)}` },
        { name: "control-port", value: "N", help: `port of its control API ${PORT(18_081)}` },
        JSON_OUTPUT,
      ],
    },
    stop: { summary: "stops the lab, and keeps its state" },
    status: {
      summary: "prints the addresses of its proxy and bastion, and its kubeconfig and CA",
      flags: [JSON_OUTPUT],
      examples: ['kubectl --kubeconfig "$(homelab lab status --json | jq -r .kubeconfig)" get nodes'],
    },
    env: {
      summary: "prints the environment that other programs need to work in the lab",
      flags: [JSON_OUTPUT],
      examples: ['eval "$(homelab lab env)"'],
    },
  },
  run: async (args, session, verb) => (await import("../target/manage-lab")).manageLab(verb, args, session),
});
