import { HomelabError } from "../../common/errors";
import { waitUntil } from "../operations/commands";
import { type ContentPart, file } from "../operations/files";
import { packages } from "../operations/packages";
import { service } from "../operations/services";
import type { Role } from "../role";

export interface BalancedCluster {
  name: string;
  /** Port on the load balancer. */
  frontendPort: number;
  /** Port on the nodes. */
  backendPort: number;
  nodes: readonly { name: string; address: string }[];
}

export interface HaproxyArgs {
  clusters: readonly BalancedCluster[];
  /** Page of statistics. Default port 8404, user `admin`; the password is the secret HAPROXY_STATS_PASSWORD. */
  stats?: { port?: number; user?: string };
}

const CONFIG = "/etc/haproxy/haproxy.cfg";
const READY_SECONDS = 30;

/** Connections of `kubectl logs -f` and of watches stay open for hours without a byte. */
const HEAD = `global
  log /dev/log local0
  user haproxy
  group haproxy
  daemon
  stats socket /run/haproxy/admin.sock mode 660 level admin

defaults
  log global
  mode tcp
  option tcplog
  option dontlognull
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout check 5s

userlist stats
`;

function checkClusters(clusters: readonly BalancedCluster[], statsPort: number): void {
  const ports = new Map([[statsPort, "the statistics"]]);
  const names = new Set<string>();
  for (const { name, frontendPort, backendPort, nodes } of clusters) {
    const wrong = [name, ...nodes.flatMap((node) => [node.name, node.address])].find((word) => !/^[A-Za-z0-9_.:-]+$/.test(word));
    if (wrong !== undefined) throw new HomelabError("E_ROLE_ARGS", `haproxy: "${wrong}" is no valid name or address`);
    if ([frontendPort, backendPort].some((port) => !Number.isInteger(port) || port < 1 || port > 65535))
      throw new HomelabError("E_ROLE_ARGS", `haproxy: cluster ${name} has an invalid port`);
    if (names.has(name)) throw new HomelabError("E_ROLE_ARGS", `haproxy: two clusters are named ${name}`);
    const taken = ports.get(frontendPort);
    if (taken !== undefined) throw new HomelabError("E_ROLE_ARGS", `haproxy: port ${frontendPort} is asked for by ${name} and by ${taken}`);
    if (nodes.length === 0) throw new HomelabError("E_ROLE_ARGS", `haproxy: cluster ${name} has no nodes`);
    names.add(name);
    ports.set(frontendPort, name);
  }
}

const section = ({ name, frontendPort, backendPort, nodes }: BalancedCluster): string => `
frontend ${name}
  bind *:${frontendPort}
  default_backend ${name}

backend ${name}
  balance roundrobin
  option tcp-check
${nodes.map((node) => `  server ${node.name} ${node.address}:${backendPort} check inter 3s fall 3 rise 2\n`).join("")}`;

/** Prints haproxy's errors without the words that they quote, which may be a part of the password. */
const validate = (path: string): string =>
  `{ hl_said=$(haproxy -c -f ${path} 2>&1) || { printf '%s\\n' "$hl_said" | grep -F '[ALERT]' | sed "s/'[^']*'/'...'/g" >&2; false; }; }`;

/** A load balancer in front of the clusters' APIs. A configuration that haproxy does not accept never takes the place of the old one. */
export function haproxy({ clusters, stats = {} }: HaproxyArgs): Role {
  const { port = 8404, user = "admin" } = stats;
  if (!/^[A-Za-z0-9_-]+$/.test(user)) throw new HomelabError("E_ROLE_ARGS", `haproxy: "${user}" is no user's name`);
  checkClusters(clusters, port);
  const page = `
frontend stats
  mode http
  bind *:${port}
  http-request auth realm statistics unless { http_auth(stats) }
  stats enable
  stats uri /
  stats refresh 10s
`;
  const content: ContentPart[] = [
    HEAD,
    `  user ${user} insecure-password "`,
    { secret: "HAPROXY_STATS_PASSWORD", as: "quoted" },
    `"\n`,
    page,
    ...clusters.map(section),
  ];
  return {
    name: "haproxy",
    secrets: ["HAPROXY_STATS_PASSWORD"],
    operations: [
      packages("curl", "haproxy"),
      file({ path: CONFIG, mode: "0600", content, validate, backup: true }),
      service({ name: "haproxy", startedWith: [], reloadedWithFiles: [CONFIG] }),
      // A reload returns before the new process listens. The request has no password; its answer, 401, is enough.
      waitUntil("haproxy serves", `curl -sS -o /dev/null http://127.0.0.1:${port}/`, READY_SECONDS),
    ],
  };
}
