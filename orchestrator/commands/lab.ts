import { defineCommand } from "../cli/command";
import { JSON_OUTPUT, LAB_LATENCIES } from "../cli/flags";

const PORT = "(default: as at the last start; 0: any that is free)";

export const command = defineCommand({
  group: "lab",
  summary: "starts, stops or describes the embedded lab",
  verbs: {
    start: {
      summary: "starts the lab, or goes on with the one that was stopped",
      flags: [
        { name: "latency", value: "NAME", choices: LAB_LATENCIES, help: "how long its servers take: as real ones, or no time (default: default)" },
        { name: "proxy-port", value: "N", help: `port of its proxy ${PORT}` },
        { name: "bastion-port", value: "N", help: `port of its bastion ${PORT}` },
        { name: "control-port", value: "N", help: `port at which it is controlled ${PORT}` },
        JSON_OUTPUT,
      ],
    },
    stop: { summary: "stops the lab, and keeps its state" },
    status: { summary: "prints where its servers are", flags: [JSON_OUTPUT] },
    env: {
      summary: "prints the environment that other programs need to work in the lab",
      flags: [JSON_OUTPUT],
      examples: ['eval "$(homelab lab env)"'],
    },
  },
  run: async (args, session, verb) => (await import("../target/manage-lab")).manageLab(verb, args, session),
});
