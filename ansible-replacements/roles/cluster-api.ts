import { HomelabError } from "../../common/errors";
import { quote } from "../../common/quote";
import { command } from "../operations/commands";
import { download } from "../operations/downloads";
import { packages } from "../operations/packages";
import type { PinnedRelease } from "../pins";
import { type Operation, type Role, secretVariable } from "../role";
import { KUBECONFIG_PATH } from "./k3s-server";

const KINDS = {
  core: { type: "CoreProvider", flag: "--core" },
  bootstrap: { type: "BootstrapProvider", flag: "--bootstrap" },
  controlPlane: { type: "ControlPlaneProvider", flag: "--control-plane" },
  infrastructure: { type: "InfrastructureProvider", flag: "--infrastructure" },
  ipam: { type: "IPAMProvider", flag: "--ipam" },
} as const;
type Kind = keyof typeof KINDS;

interface Provider {
  /** `InfrastructureProvider/proxmox`, as the cluster lists it. */
  id: string;
  name: string;
  version: string;
  flag: string;
}

export interface ClusterApiArgs {
  /** `clusterctl`, for amd64. */
  clusterctl: PinnedRelease;
  /** Each `name:version`, such as `proxmox:v0.7.5`; without versions it would be whatever is newest on that day. */
  providers: Readonly<Record<Kind, string>>;
  /** On the host. Default k3s's. */
  kubeconfig?: string;
  /** The command that is kubectl on the host. Default k3s's. */
  kubectl?: string;
}

/** What the Proxmox provider reads from the environment while it is installed. */
const SECRETS = ["PROXMOX_URL", "PROXMOX_TOKEN", "PROXMOX_SECRET"];
const BINARY = "/usr/local/bin/clusterctl";

function parseProvider(kind: Kind, text: string): Provider {
  const [name = "", version = ""] = text.split(":");
  if (!/^[a-z0-9-]+$/.test(name) || !/^v\d+\.\d+\.\d+(-[a-z0-9.]+)?$/.test(version))
    throw new HomelabError("E_ROLE_ARGS", `cluster-api: ${kind} provider "${text}" has no exact version`, { hint: "write it as name:v1.2.3" });
  return { id: `${KINDS[kind].type}/${name}`, name, version, flag: KINDS[kind].flag };
}

function providersOperation(wanted: readonly Provider[], tool: string, kubectl: string): Operation {
  const environment = SECRETS.map((name) => `${name}="$${secretVariable(name)}"`).join(" ");
  const found = ({ id }: Provider) => `hl_found=$(printf '%s' "$hl_list" | tr ';' '\\n' | awk -v id=${quote(id)} '$1 == id')`;
  const clusterctl = (verb: string) => `{ [ $# -eq 0 ] || ${environment} ${tool} ${BINARY} ${verb} "$@" --wait-providers; }`;
  return {
    name: `Cluster API providers ${wanted.map(({ name, version }) => `${name}:${version}`).join(" ")}`,
    functions: {
      // `TYPE/NAME VERSION NAMESPACE;` for each provider; nothing on a cluster without Cluster API.
      hl_providers: `hl_crd=$(${kubectl} get crd providers.clusterctl.cluster.x-k8s.io --ignore-not-found -o name) || return 126
  [ -n "$hl_crd" ] || return 0
  ${kubectl} get providers.clusterctl.cluster.x-k8s.io -A -o 'jsonpath={range .items[*]}{.type}/{.providerName} {.version} {.metadata.namespace};{end}' || return 126`,
    },
    check: [
      "{ hl_list=$(hl_providers) || return 126; }",
      ...wanted.map(
        ({ id, version }) => `{ case ";$hl_list" in *${quote(`;${id} ${version} `)}*) : ;; *) hl_say ${quote(`${id} ${version} is not installed`)} ;; esac; }`,
      ),
    ],
    // Installed providers are upgraded. `init` adds the missing ones, also on a cluster that has the core provider.
    apply: [
      "hl_list=$(hl_providers)",
      "set --",
      ...wanted.map(
        (provider) => `${found(provider)} && { [ -n "$hl_found" ] || set -- "$@" ${quote(`${provider.flag}=${provider.name}:${provider.version}`)}; }`,
      ),
      clusterctl("init"),
      "hl_list=$(hl_providers)",
      "set --",
      ...wanted.map(
        (provider) =>
          `${found(provider)} && case $hl_found in ${quote(`${provider.id} ${provider.version} `)}*) : ;; *) set -- "$@" "${provider.flag}=\${hl_found##* }/"${quote(`${provider.name}:${provider.version}`)} ;; esac`,
      ),
      clusterctl("upgrade apply"),
    ],
  };
}

/**
 * A cluster that makes clusters: Cluster API's providers at pinned versions, installed from the host itself. A second run adds or
 * upgrades what differs.
 */
export function clusterApi(args: ClusterApiArgs): Role {
  const wanted = (Object.keys(KINDS) as Kind[]).map((kind) => parseProvider(kind, args.providers[kind]));
  const tool = `env KUBECONFIG=${quote(args.kubeconfig ?? KUBECONFIG_PATH)}`;
  const kubectl = `${tool} ${args.kubectl ?? "/usr/local/bin/k3s kubectl"}`;
  return {
    name: "cluster-api",
    secrets: SECRETS,
    operations: [
      packages("ca-certificates", "curl"),
      download({
        url: `https://github.com/kubernetes-sigs/cluster-api/releases/download/${args.clusterctl.version}/clusterctl-linux-amd64`,
        sha256: args.clusterctl.sha256,
        path: BINARY,
        mode: "0755",
      }),
      providersOperation(wanted, tool, kubectl),
      command(
        "Cluster API is ready",
        `hl_list=$(${kubectl} get deployments -A -l clusterctl.cluster.x-k8s.io -o 'jsonpath={range .items[*]}{.metadata.name}={.status.availableReplicas};{end}') && case $hl_list in '' | *'=;'* | *'=0;'*) hl_say "waiting: $hl_list" ;; esac`,
        `${kubectl} wait --for=condition=Available deployment -A -l clusterctl.cluster.x-k8s.io --timeout=5m`,
      ),
    ],
  };
}
