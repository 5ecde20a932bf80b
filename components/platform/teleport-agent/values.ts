/** Values of the chart teleport-kube-agent. */
import { TELEPORT_VERSION } from "../../../ansible-replacements";
import type { WantedSecret } from "../namespace-grants";
import type { ChartPin } from "../pins";
import type { Place } from "../place";
import { sized } from "../sized";
import type { TeleportAgentOptions } from "./options";

export const TELEPORT_AGENT_CHART = {
  repository: "https://charts.releases.teleport.dev",
  name: "teleport-kube-agent",
  version: TELEPORT_VERSION,
  why: "the version of the homelab's own Teleport: an agent is never newer than what it joins",
} as const satisfies ChartPin;

export const TELEPORT_AGENT_NAMESPACE = "teleport-agent";
export const TELEPORT_AGENT_RESOURCES = { cpu: "50m", memory: "128Mi" } as const;
const JOIN_TOKEN_SECRET = "teleport-join-token";

/** The chart reads the token by this key. */
export const joinTokenSecret = ({ path, key }: Pick<TeleportAgentOptions, "path" | "key">): WantedSecret => ({
  name: JOIN_TOKEN_SECRET,
  data: { "auth-token": { path, key } },
});

export const proxyOf = ({ proxy }: Pick<TeleportAgentOptions, "proxy">, { domain }: Pick<Place, "domain">): string => proxy ?? `teleport.${domain}:3080`;

/** Roles of the agent, as the chart takes them. */
const rolesOf = ({ apps, databases }: Pick<TeleportAgentOptions, "apps" | "databases">): string =>
  ["kube", ...(Object.keys(apps).length > 0 ? ["app"] : []), ...(Object.keys(databases).length > 0 ? ["db"] : [])].join(",");

export function teleportAgentValues(options: TeleportAgentOptions, { domain, environment }: Pick<Place, "domain" | "environment">) {
  const { apps, databases } = options;
  const labels = { env: environment };
  return {
    roles: rolesOf(options),
    proxyAddr: proxyOf(options, { domain }),
    kubeClusterName: environment,
    joinParams: { method: "token" },
    // Our own Secret: for the chart's, the token would have to be in the values.
    joinTokenSecret: { create: false, name: JOIN_TOKEN_SECRET },
    apps: Object.entries(apps).map(([name, { namespace, service, port, protocol }]) => ({
      name,
      uri: `${protocol}://${service}.${namespace}.svc:${port}`,
      labels,
    })),
    databases: Object.entries(databases).map(([name, { namespace, service, port, protocol }]) => ({
      name,
      protocol,
      uri: `${service}.${namespace}.svc:${port}`,
      labels,
    })),
    // Removed in Kubernetes 1.25.
    podSecurityPolicy: { enabled: false },
    resources: sized(TELEPORT_AGENT_RESOURCES.cpu, TELEPORT_AGENT_RESOURCES.memory, "512Mi"),
  };
}
