import { defineModule, type Flow } from "../module";
import { teleportAgentOptions } from "./options";
import { joinTokenSecret, proxyOf, TELEPORT_AGENT_CHART, TELEPORT_AGENT_NAMESPACE, TELEPORT_AGENT_RESOURCES, teleportAgentValues } from "./values";

/** Port of Teleport's proxy for the reverse tunnel by which agents are reached. */
const TUNNEL_PORT = 3024;

export const teleportAgent = defineModule({
  name: "teleport-agent",
  summary: "lets Teleport's users into the cluster: its API, the pages and the databases that are listed, each with its own login and record",
  charts: { "teleport-agent": TELEPORT_AGENT_CHART },
  options: teleportAgentOptions,
  parts: (options, place) => {
    const proxy = new URL(`https://${proxyOf(options, place)}`);
    const reached = [...Object.entries(options.apps), ...Object.entries(options.databases)].map(
      ([name, { namespace, port, targetPort = port }]): Flow => ({
        direction: "out",
        peer: namespace,
        port: targetPort,
        why: `shows ${name} to Teleport's users`,
      }),
    );
    return {
      namespaces: [TELEPORT_AGENT_NAMESPACE],
      needs: ["external-secrets", "cluster-access"],
      namespaceSecrets: [{ namespace: TELEPORT_AGENT_NAMESPACE, wanted: [joinTokenSecret(options)] }],
      flows: [
        { direction: "out", peer: `https://${proxy.hostname}`, port: Number(proxy.port) || 443, why: "joins, and asks what it may show to whom" },
        { direction: "out", peer: `https://${proxy.hostname}`, port: TUNNEL_PORT, why: "the tunnel by which it is reached" },
        { direction: "out", peer: "cluster", port: 6443, why: "hands its users' calls to the API, as those users" },
        ...reached,
      ],
      workloads: [{ name: "agent", ...TELEPORT_AGENT_RESOURCES }],
      values: { "teleport-agent": teleportAgentValues(options, place) },
    };
  },
  build: () => (require("./teleport-agent") as typeof import("./teleport-agent")).buildTeleportAgent,
});
