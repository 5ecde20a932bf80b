import { z } from "zod";
import { fail, type Invocation, ok, parseFlags, unmodelled } from "../command";

/** Cluster API's providers in a k3s cluster: beside the cluster's own data. */
const STATE = "/var/lib/rancher/k3s/server/lab-cluster-api.json";
const providerSchema = z.object({ type: z.string(), name: z.string(), version: z.string(), namespace: z.string() });
const TYPES: Record<string, string> = {
  core: "CoreProvider",
  bootstrap: "BootstrapProvider",
  "control-plane": "ControlPlaneProvider",
  infrastructure: "InfrastructureProvider",
  ipam: "IPAMProvider",
};
/** What `clusterctl` fills into the provider's manifest from the environment. */
const VARIABLES: Record<string, string[]> = { "InfrastructureProvider/proxmox": ["PROXMOX_URL", "PROXMOX_TOKEN", "PROXMOX_SECRET"] };

async function installed(run: Invocation): Promise<z.infer<typeof providerSchema>[]> {
  return z.array(providerSchema).parse(JSON.parse((await run.machine.disk.read(STATE)) ?? "[]"));
}

export async function clusterctl(run: Invocation, args: string[]) {
  const { flags, rest, unknown } = parseFlags(args, Object.keys(TYPES), ["wait-providers"]);
  if (unknown) return unmodelled(run, "clusterctl", unknown);
  if (!run.machine.cluster) return fail("Error: failed to create controller-runtime client: connection refused");
  const providers = await installed(run);
  const verb = rest.join(" ");
  if (verb !== "init" && verb !== "upgrade apply") return unmodelled(run, "clusterctl", args.join(" "));
  for (const [flag, type] of Object.entries(TYPES)) {
    for (const value of flags.get(flag) ?? []) {
      const [name = "", version = ""] = (value.split("/").at(-1) ?? "").split(":");
      const old = providers.find((each) => each.type === type && each.name === name);
      if (verb === "init" && old !== undefined)
        return fail(`Error: installing provider "${name}" can lead to a non functioning management cluster: there is already an instance of it`);
      if (verb === "upgrade apply" && (old === undefined || !value.startsWith(`${old.namespace}/`)))
        return fail(`Error: unable to complete that upgrade: the provider ${value} is not part of the management cluster`);
      const missing = (VARIABLES[`${type}/${name}`] ?? []).find((variable) => (run.shell.exportedEnv?.[variable] ?? "") === "");
      if (missing !== undefined)
        return fail(`Error: failed to get provider components for the "${name}" provider: value for variables [${missing}] is not set`);
      if (old === undefined) providers.push({ type, name, version, namespace: `${name}-system` });
      else old.version = version;
    }
  }
  if (verb === "init" && !providers.some(({ type }) => type === "CoreProvider")) return unmodelled(run, "clusterctl", "init that picks the newest core");
  await run.machine.disk.install(STATE, JSON.stringify(providers), 0o600);
  return ok();
}

/** `k3s kubectl` about Cluster API. @returns undefined for another question */
export async function clusterApiQuestion(run: Invocation, args: string[]) {
  const text = args.join(" ");
  const providers = await installed(run);
  if (text === "get crd providers.clusterctl.cluster.x-k8s.io --ignore-not-found -o name")
    return ok(providers.length === 0 ? "" : "customresourcedefinition.apiextensions.k8s.io/providers.clusterctl.cluster.x-k8s.io\n");
  if (text === "get providers.clusterctl.cluster.x-k8s.io -A -o jsonpath={range .items[*]}{.type}/{.providerName} {.version} {.metadata.namespace};{end}")
    return ok(providers.map((each) => `${each.type}/${each.name} ${each.version} ${each.namespace};`).join(""));
  if (text === "get deployments -A -l clusterctl.cluster.x-k8s.io -o jsonpath={range .items[*]}{.metadata.name}={.status.availableReplicas};{end}")
    return ok(providers.map(({ name }) => `${name}-controller-manager=1;`).join(""));
  return undefined;
}
