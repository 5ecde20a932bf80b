import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { absolute, fail, type Invocation, ok, parseFlags, unmodelled } from "../command";
import { KUBELET, type KubeadmState, readState, writeState } from "../kubelet";
import type { Machine } from "../machine";
import { neighbourAt } from "../neighbours";
import { startUnit, stopUnit } from "../units";

/** The last line of each error that kubeadm prints for a phase. */
const MORE = "To see the stack trace of this error execute with --v=5 or higher";
const MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml";
const ADMIN_KUBECONFIG = "/etc/kubernetes/admin.conf";

const initSchema = z.object({
  bootstrapTokens: z.array(z.object({ token: z.string().regex(/^[a-z0-9]{6}\.[a-z0-9]{16}$/), ttl: z.string() })),
  certificateKey: z.string().regex(/^[0-9a-f]{64}$/),
  nodeRegistration: z.object({ name: z.string() }).optional(),
});
const clusterSchema = z.object({
  clusterName: z.string(),
  kubernetesVersion: z.string(),
  controlPlaneEndpoint: z.string(),
  networking: z.object({ podSubnet: z.string(), serviceSubnet: z.string() }),
});
/** The configuration of an init phase. Without a version kubeadm asks the internet for one. */
const phaseClusterSchema = clusterSchema.pick({ kubernetesVersion: true });
const joinSchema = z.object({
  nodeRegistration: z.object({ name: z.string() }),
  discovery: z.object({ bootstrapToken: z.object({ apiServerEndpoint: z.string(), token: z.string(), caCertHashes: z.array(z.string()) }) }),
  controlPlane: z.object({ certificateKey: z.string() }).optional(),
});

async function documents(run: Invocation, name: string): Promise<Map<string, unknown>> {
  const texts = parseAllDocuments(await run.shell.fs.readFile(absolute(run, name)));
  const values = texts.map((document): unknown => document.toJS());
  return new Map(values.map((value) => [z.object({ kind: z.string() }).parse(value).kind, value]));
}

async function preflight(machine: Machine): Promise<string | undefined> {
  const problems: string[] = [];
  if (machine.kernel.swapOn) problems.push("[ERROR Swap]: running with swap on is not supported. Please disable swap");
  if (machine.units.get("containerd.service")?.state !== "active") problems.push("[ERROR CRI]: container runtime is not running");
  if (machine.kernel.sysctls.get("net.ipv4.ip_forward") !== "1")
    problems.push("[ERROR FileContent--proc-sys-net-ipv4-ip_forward]: /proc/sys/net/ipv4/ip_forward contents are not set to 1");
  if (machine.cluster !== undefined) problems.push("[ERROR Port-6443]: Port 6443 is in use");
  for (const file of [MANIFEST, "/etc/kubernetes/kubelet.conf"])
    if (await machine.disk.inner.exists(file)) problems.push(`[ERROR FileAvailable-${file.replaceAll("/", "-")}]: ${file} already exists`);
  return problems.length === 0 ? undefined : `error execution phase preflight: [preflight] Some fatal errors occurred:\n\t${problems.join("\n\t")}`;
}

function addToken(run: Invocation, state: KubeadmState, config: z.infer<typeof initSchema>): void {
  // The only time to live that the roles give a token; the lab does not model another one.
  for (const { token, ttl } of config.bootstrapTokens) {
    if (ttl !== "30m0s") unmodelled(run, "kubeadm", `ttl ${ttl}`);
    state.tokens[token] = run.machine.ctx.clock.now() + 30 * 60_000;
  }
}

/** The kubelet runs already where it is enabled, and waits for its configuration. */
async function startConfigured(machine: Machine): Promise<void> {
  await machine.disk.install("/etc/kubernetes/kubelet.conf", "lab: the kubelet's credentials\n", 0o600);
  await stopUnit(machine, KUBELET);
  await startUnit(machine, KUBELET);
}

async function init(run: Invocation, version: string, name: string) {
  const { machine } = run;
  const problem = await preflight(machine);
  if (problem !== undefined) return fail(problem);
  const files = await documents(run, name);
  const config = initSchema.safeParse(files.get("InitConfiguration"));
  const cluster = clusterSchema.safeParse(files.get("ClusterConfiguration"));
  if (!config.success || !cluster.success) return fail(`error: ${z.prettifyError((config.error ?? cluster.error) as z.ZodError)}`, 3);
  if (cluster.data.kubernetesVersion !== `v${version.split("-")[0]}`) return fail(`this version of kubeadm only supports deploying v${version.split("-")[0]}`);
  await machine.disk.install(MANIFEST, "# lab: kube-apiserver\n", 0o600);
  if (machine.ctx.faults.take("kubeadm.init-failed", machine.spec.hostname))
    return fail("error execution phase wait-control-plane: couldn't initialize a Kubernetes cluster");
  const { clusterName, kubernetesVersion, controlPlaneEndpoint } = cluster.data;
  const state: KubeadmState = {
    clusterName,
    version: kubernetesVersion,
    endpoint: controlPlaneEndpoint,
    caHash: "",
    tokens: {},
    certificateKey: config.data.certificateKey,
    nodes: [config.data.nodeRegistration?.name ?? machine.hostname],
  };
  addToken(run, state, config.data);
  await writeState(machine, state);
  await startConfigured(machine);
  return ok("Your Kubernetes control-plane has initialized successfully!\n");
}

async function join(run: Invocation, name: string) {
  const { machine } = run;
  const problem = await preflight(machine);
  if (problem !== undefined) return fail(problem);
  const config = joinSchema.safeParse((await documents(run, name)).get("JoinConfiguration"));
  if (!config.success) return fail(`error: ${z.prettifyError(config.error)}`, 3);
  const { apiServerEndpoint, token, caCertHashes } = config.data.discovery.bootstrapToken;
  const first = neighbourAt(machine.ctx, apiServerEndpoint.split(":")[0] ?? "");
  const state = first && first.units.get(KUBELET)?.state === "active" ? await readState(first) : undefined;
  const refused = (reason: string) => fail(`error: error execution phase preflight: couldn't validate the identity of the API Server: ${reason}\n${MORE}`);
  if (first === undefined || state === undefined)
    return refused(`failed to request the cluster-info ConfigMap: Get "https://${apiServerEndpoint}": connection refused`);
  if ((state.tokens[token] ?? 0) < machine.ctx.clock.now())
    return refused(`could not find a JWS signature in the cluster-info ConfigMap for token ID "${token.split(".")[0]}"`);
  if (!caCertHashes.includes(state.caHash))
    return refused(`cluster CA found in cluster-info ConfigMap is invalid: none of the public keys "${state.caHash}" are pinned`);
  const plane = config.data.controlPlane;
  if (plane !== undefined && plane.certificateKey !== state.certificateKey)
    return fail("error execution phase control-plane-prepare/download-certs: error decoding secret data with provided key");
  if (plane !== undefined) {
    await machine.disk.install(MANIFEST, "# lab: kube-apiserver\n", 0o600);
    await machine.disk.install("/etc/kubernetes/manifests/etcd.yaml", "# lab: etcd\n", 0o600);
    await machine.disk.install(ADMIN_KUBECONFIG, (await first.disk.read(ADMIN_KUBECONFIG)) ?? "", 0o600);
    if (machine.ctx.faults.take("kubeadm.bootstrap-failed", machine.spec.hostname))
      return fail(`error: error execution phase kubelet-wait-bootstrap: client rate limiter Wait returned an error\n${MORE}`);
  }
  await startConfigured(machine);
  const node = config.data.nodeRegistration.name;
  if (!state.nodes.includes(node)) await writeState(first, { ...state, nodes: [...state.nodes, node] });
  return ok("This node has joined the cluster\n");
}

async function phase(run: Invocation, name: string, config: string) {
  const state = await readState(run.machine);
  const files = await documents(run, config);
  const parsed = initSchema.safeParse(files.get("InitConfiguration"));
  if (!phaseClusterSchema.safeParse(files.get("ClusterConfiguration")).success) return unmodelled(run, "kubeadm", "asking dl.k8s.io for the newest version");
  if (state === undefined || !parsed.success) return fail("error: no cluster, or no valid configuration");
  if (name === "bootstrap-token") addToken(run, state, parsed.data);
  else state.certificateKey = parsed.data.certificateKey;
  await writeState(run.machine, state);
  return ok();
}

export async function kubeadm(run: Invocation, version: string, args: string[]) {
  const { flags, rest, unknown } = parseFlags(args, ["config", "kubeconfig", "o"], ["upload-certs", "skip-token-print", "skip-certificate-key-print", "f"]);
  if (unknown) return unmodelled(run, "kubeadm", unknown);
  if (rest[0] === "version" && flags.get("o")?.[0] === "short") return ok(`v${version.split("-")[0]}\n`);
  if (run.who.uid !== 0) return fail("[ERROR IsPrivilegedUser]: user is not running as root");
  const config = flags.get("config")?.[0];
  if (rest[0] === "reset" && flags.has("f")) {
    await stopUnit(run.machine, KUBELET);
    run.machine.clusterState = undefined;
    for (const path of ["/etc/kubernetes", "/var/lib/etcd"]) await run.machine.disk.remove(path);
    return ok();
  }
  if (config === undefined) return unmodelled(run, "kubeadm", args.join(" "));
  if (rest.join(" ") === "init") return init(run, version, config);
  if (rest.join(" ") === "join") return join(run, config);
  if (rest[0] === "init" && rest[1] === "phase" && ["bootstrap-token", "upload-certs"].includes(rest[2] ?? "")) return phase(run, rest[2] ?? "", config);
  return unmodelled(run, "kubeadm", args.join(" "));
}

/** The host that has the state of the cluster: its first node, to which the kubeconfig of another control plane leads. */
async function firstNode(machine: Machine, kubeconfig: string): Promise<Machine> {
  const address = /^ +server: https:\/\/(.+):\d+$/m.exec((await machine.disk.read(kubeconfig)) ?? "")?.[1] ?? "";
  return neighbourAt(machine.ctx, address) ?? machine;
}

export async function kubectl(run: Invocation, args: string[]) {
  const { flags, rest, unknown } = parseFlags(args, ["kubeconfig", "n", "o", "raw"], []);
  if (unknown) return unmodelled(run, "kubectl", unknown);
  const { machine } = run;
  const config = flags.get("kubeconfig")?.[0] ?? "";
  if (!(await machine.disk.inner.exists(config))) return fail(`error: stat ${config}: no such file or directory`);
  const first = await firstNode(machine, config);
  const state = await readState(first);
  if (state === undefined || first.units.get(KUBELET)?.state !== "active")
    return fail(`The connection to the server ${state?.endpoint ?? `${machine.spec.address}:6443`} was refused - did you specify the right host or port?`);
  const asked = [flags.get("n")?.[0], ...rest, flags.get("o")?.[0]].filter((word) => word !== undefined).join(" ");
  if (rest.join(" ") === "get" && flags.get("raw")?.[0] === "/readyz") return ok("ok");
  if (asked === "get nodes name") return ok(state.nodes.map((name) => `node/${name}\n`).join(""));
  const node = /^get node (\S+) name$/.exec(asked)?.[1];
  if (node !== undefined) return state.nodes.includes(node) ? ok(`node/${node}\n`) : fail(`Error from server (NotFound): nodes "${node}" not found`);
  const id = /^kube-system get secret bootstrap-token-(\S+) name$/.exec(asked)?.[1];
  if (id !== undefined) {
    const alive = Object.entries(state.tokens).some(([token, end]) => token.startsWith(`${id}.`) && end > machine.ctx.clock.now());
    return alive ? ok(`secret/bootstrap-token-${id}\n`) : fail(`Error from server (NotFound): secrets "bootstrap-token-${id}" not found`);
  }
  if (asked.startsWith("kube-system get daemonset cilium jsonpath={.spec.template.spec.containers[0].image}"))
    return state.cilium === undefined
      ? fail('Error from server (NotFound): daemonsets.apps "cilium" not found')
      : ok(`quay.io/cilium/cilium:v${state.cilium}@sha256:0`);
  return unmodelled(run, "kubectl", args.join(" "));
}

export async function cilium(run: Invocation, args: string[]) {
  const { flags, rest, unknown } = parseFlags(args, ["version", "set", "wait-duration"], ["wait"]);
  if (unknown) return unmodelled(run, "cilium", unknown);
  const state = await readState(run.machine);
  if (state === undefined) return fail("Error: unable to create Kubernetes client");
  const version = flags.get("version")?.[0];
  if (rest[0] === "status") return state.cilium === undefined ? fail("Error: cilium is not installed") : ok();
  if ((rest[0] !== "install" && rest[0] !== "upgrade") || version === undefined) return unmodelled(run, "cilium", args.join(" "));
  if ((rest[0] === "install") === (state.cilium !== undefined))
    return fail(rest[0] === "install" ? "Error: cannot re-use a name that is still in use" : "Error: release: not found");
  await writeState(run.machine, { ...state, cilium: version });
  return ok();
}
