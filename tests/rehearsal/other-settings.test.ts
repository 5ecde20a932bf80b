/**
 * A checkout with other settings: the cluster of sandboxy is made by kubeadm, one more VM joins it as a worker, and the nodes get a
 * storage for images and a bridge. The results are judged by what the outside world saw.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { quote } from "../../common/quote";
import { type LabRecord, Rehearsal } from "../support/rehearsal";
import { digestOf, SECRETS } from "../support/role-cases";

const ENTRY = "cluster-secret-store/secrets/KUBEADM";
const FIRST = "k8s-sandbox-01";
const WORKER = "k8s-sandbox-02";
/** MetalLB's pool of addresses. No machine has one of them. */
const POOL = { first: "192.168.1.200", last: "192.168.1.209" };
/** Argo CD in the version of the system that this one replaced. */
const OLDER = `"argo-cd": { version: "7.7.12" },`;
const PLATFORM = `platform: { ...cluster, box: { credential: senders.sandboxy }, "local-path": {}, metallb: { addresses: ["${POOL.first}-${POOL.last}"] }, traefik: {}, "metrics-server": {}, ${OLDER} },`;

// Builds three stacks, which takes long on a busy machine.
jest.setTimeout(900_000);

let rehearsal: Rehearsal;
let checkout: string;

function edit(file: string, change: (text: string) => string): void {
  const full = path.join(checkout, file);
  const [before, after] = [fs.readFileSync(full, "utf8"), change(fs.readFileSync(full, "utf8"))];
  if (before === after) throw new Error(`${file} has nothing to change`);
  fs.writeFileSync(full, after);
}

/** Adds a VM as an operator does: its file, and its name in the stack's definition. */
function addWorker(): void {
  const vms = path.join(checkout, "site/vms");
  const text = fs.readFileSync(path.join(vms, `${FIRST}.yaml`), "utf8");
  const smaller = text.replace("cores: 8", "cores: 1").replace("memory: 32768", "memory: 2048").replace("node03", "node01");
  fs.writeFileSync(
    path.join(vms, `${WORKER}.yaml`),
    smaller.replace(FIRST, WORKER).replace("192.168.1.21/", "192.168.1.22/").replace("300G", "30G").replace("vmbr0", "vmbr1"),
  );
  edit("site/stacks.ts", (stacks) => stacks.replace(`"${FIRST}": "cluster"`, `"${FIRST}": "cluster", "${WORKER}": "host"`));
  edit("site/stacks.ts", (stacks) => stacks.replace(/platform: \{\s*\.\.\.cluster,\s*"snapshot-controller"[\s\S]*?\n {4}\},/, PLATFORM));
}

function addStorageAndBridge(): void {
  const files = { name: "homelab", type: "dir", path: "/var/lib/homelab", contents: ["import", "iso"] };
  edit("site/nodes.ts", (text) =>
    text.replace('StorageSpec = "local"', `StorageSpec = ${JSON.stringify(files)}`).replace('bridges: ["vmbr0"]', 'bridges: ["vmbr0", { name: "vmbr1" }]'),
  );
}

beforeAll(async () => {
  rehearsal = new Rehearsal();
  checkout = rehearsal.checkout;
  addWorker();
  addStorageAndBridge();
  execFileSync(process.execPath, [path.join(checkout, "build/build.cjs")], { cwd: checkout });
  const cli = "https://github.com/cilium/cilium-cli/releases/download/v0.18.3/cilium-linux-amd64.tar.gz";
  const kubeadm = { podCidr: "10.244.0.0/16", nodes: { [WORKER]: "worker" }, cilium: { cli: { version: "v0.18.3", sha256: digestOf(cli) } } };
  edit("Pulumi.sandboxy.yaml", (text) => text.replace(/ {2}homelab:localStoragePath.*\n/, `  homelab:kubeadm: ${JSON.stringify(kubeadm)}\n`));
  for (const [verb, key] of [
    ["new", "KUBEADM_TOKEN"],
    ["set", "KUBEADM_CERTIFICATE_KEY"],
  ] as const) {
    const { code, stderr } = await rehearsal.secrets([verb, ENTRY, key], SECRETS[key]);
    if (code !== 0) throw new Error(stderr);
  }
  await rehearsal.startLab();
}, 120_000);
afterAll(() => rehearsal.close(), 60_000);

const homelab = (...args: string[]) => rehearsal.start(args, { checkout }).done;

test("up builds the cluster with kubeadm, lets the worker join it, and the platform is in it", async () => {
  const { code, stdout, stderr } = await homelab("up", "sandboxy", "--lab");
  expect([code, stderr, code === 0 ? "" : stdout]).toEqual([0, "", ""]);
  for (const value of [SECRETS.KUBEADM_TOKEN, SECRETS.KUBEADM_CERTIFICATE_KEY]) expect(stdout).not.toContain(value);
  const writes = await rehearsal.writes();
  const of = (system: string, target: string) => writes.filter((record) => record.system === system && record.target === target).map(({ action }) => action);
  expect(of("ssh", FIRST)).toContain("cluster-start");
  expect(of("ssh", WORKER)).not.toContain("cluster-start");
  // The admission role, which registers the token right before the join, has run.
  expect(await rehearsal.ssh("192.168.1.21", "sudo -n cat /run/homelab/kubeadm.admitted")).toMatch(/^\d{10}\n$/);
  const namespaces = of("kubernetes", "sandboxy").flatMap((action) => /^apply v1 namespaces (.+)$/.exec(action)?.[1] ?? []);
  expect(namespaces.toSorted()).toEqual([
    "argocd",
    "box",
    "cert-manager",
    "external-dns",
    "external-secrets",
    "local-path-storage",
    "metallb-system",
    "metrics-server",
    "traefik",
    "vault-access",
    "whoami",
  ]);
  expect(writes.filter(({ action }) => action === "kv-put clusters/sandboxy/kubeconfig")).toHaveLength(1);
  expect(await rehearsal.ssh("192.168.1.21", "sudo -n kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes -o name; ls /usr/local/bin")).toBe(
    `node/${FIRST}\nnode/${WORKER}\ncilium\n`,
  );
  expect(await rehearsal.ssh("192.168.1.22", "sudo -n sh -c 'ls /etc/kubernetes; systemctl is-active kubelet'")).toBe("kubelet.conf\nactive\n");
});

test("the storage and the bridge are made once, and before what lies on them", async () => {
  const writes = await rehearsal.writes();
  const firstSeq = (found: (record: LabRecord) => boolean): number => writes.find((record) => record.system === "proxmox" && found(record))?.seq ?? Number.NaN;
  const made = writes.filter(({ action }) => /^(storage|bridge|network)-create$/.test(action));
  expect(made.map(({ target, action }) => `${target} ${action}`).toSorted()).toEqual(["homelab storage-create", "node01 network-create"]);
  expect(firstSeq(({ action }) => action === "storage-create")).toBeLessThan(firstSeq(({ action }) => action === "download"));
  expect(firstSeq(({ action }) => action === "network-reload")).toBeLessThan(firstSeq(({ target, action }) => target === WORKER && action === "vm-start"));
  const worker = (await rehearsal.vms()).find(({ config }) => config["name"] === WORKER);
  expect(worker?.config["net0"]).toMatch(/bridge=vmbr1/);
});

test("its kubeconfig is the administrator's under the stack's name, and opens the cluster", async () => {
  const outputs = await homelab("outputs", "sandboxy", "--lab", "--json", "--show-secrets");
  const { sandboxy } = z.object({ sandboxy: z.object({ kubeconfig: z.string() }) }).parse(JSON.parse(outputs.stdout));
  const kubeconfig: unknown = parse(sandboxy.kubeconfig);
  expect(kubeconfig).toMatchObject({ "current-context": "sandboxy", clusters: [{ name: "sandboxy", cluster: { server: "https://192.168.1.21:6443" } }] });
  expect(parse(fs.readFileSync(path.join(rehearsal.dir, "kubeconfig"), "utf8")).users).toEqual(
    expect.arrayContaining([{ name: "sandboxy", user: (kubeconfig as { users: [{ user: object }] }).users[0].user }]),
  );
  const { status, body } = await rehearsal.kubernetes("sandboxy", "/apis/networking.k8s.io/v1/ingresses");
  // Its route has the first address of the pool, which is that of Traefik's Service.
  expect(status).toBe(200);
  expect(body).toMatchObject({
    items: ["argo-cd", "whoami-http"].map((name) => ({ metadata: { name }, status: { loadBalancer: { ingress: [{ ip: POOL.first }] } } })),
  });
});

test("a second up changes nothing, and hosts check finds both nodes as they should be", async () => {
  const before = await rehearsal.lastSeq();
  const { code, stdout } = await homelab("up", "sandboxy", "--only", "--lab");
  expect([code, stdout.match(/succeeded in .*: no changes/g)?.length]).toEqual([0, 1]);
  expect(await rehearsal.writes(before)).toEqual([]);
  const checked = await homelab("hosts", "check", "--lab", "--json", "--host", `${FIRST},${WORKER}`);
  const { hosts } = z.object({ hosts: z.array(z.object({ host: z.string(), status: z.string() })) }).parse(JSON.parse(checked.stdout));
  expect(hosts).toEqual([
    { host: FIRST, status: "ok" },
    { host: WORKER, status: "ok" },
  ]);
  expect(await rehearsal.unhandled()).toEqual([]);
});

test("a VM that is restarted for more memory is waited for, and nothing else is said to change", async () => {
  edit(`site/vms/${WORKER}.yaml`, (text) => text.replace("memory: 2048", "memory: 3072"));
  const previewed = await homelab("preview", "sandboxy", "--only", "--lab");
  expect([previewed.code, previewed.stderr]).toEqual([0, ""]);
  expect(previewed.stdout).toContain("VM 122 will be restarted for: memory");
  const updates = [...previewed.stdout.matchAll(/^\[sandboxy\] (\S+ \S+) to update$/gm)].map(([, what]) => what);
  expect(updates.toSorted()).toEqual([`command:local:Command ${WORKER}-ready`, `proxmoxve:index/vmLegacy:VmLegacy ${WORKER}-vm`]);
  expect(previewed.stdout).toContain(": 2 to update\n");
  const before = await rehearsal.lastSeq();
  const { code, stderr } = await homelab("up", "sandboxy", "--only", "--lab");
  expect([code, stderr]).toEqual([0, ""]);
  const writes = (await rehearsal.writes(before)).map(({ system, target, action }) => `${system} ${target} ${action}`);
  expect(writes.filter((write) => !write.startsWith("proxmox "))).toEqual([`ssh ${WORKER} host-up`]);
  expect(await rehearsal.ssh("192.168.1.22", "systemctl is-active kubelet")).toBe("active\n");
});

/** The specs of Argo CD's own objects in its namespace, by kind and name. */
async function argoCdObjects(): Promise<Record<string, unknown>> {
  const list = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }), spec: z.looseObject({}) })) });
  const found: Record<string, unknown> = {};
  for (const [group, kind] of [
    ["apis/apps/v1", "deployments"],
    ["apis/apps/v1", "statefulsets"],
    ["api/v1", "services"],
  ] as const) {
    const { body } = await rehearsal.kubernetes("sandboxy", `/${group}/namespaces/argocd/${kind}`);
    for (const { metadata, spec } of list.parse(body).items) {
      const { clusterIP: _ip, clusterIPs: _ips, ...rest } = spec;
      found[`${kind} ${metadata.name}`] = rest;
    }
  }
  return found;
}

/** Runs an up of sandboxy with another row. @returns writes outside Argo CD's namespace, except to its own roles and definitions */
async function writtenElsewhere(from: string, to: string): Promise<string[]> {
  edit("site/stacks.ts", (text) => text.replace(from, to));
  await rehearsal.settle();
  const since = await rehearsal.lastSeq();
  const { code, stdout, stderr } = await homelab("up", "sandboxy", "--only", "--lab");
  expect([code, stderr, code === 0 ? "" : stdout]).toEqual([0, "", ""]);
  await rehearsal.settle();
  const elsewhere = (await rehearsal.writes(since)).filter(({ action }) => !/ (argocd(\/.*)?|argocd-[a-z-]+|vault-argocd|[a-z]+\.argoproj\.io)$/.test(action));
  return [...new Set(elsewhere.map(({ system, action }) => `${system} ${action.replace(/v\d+$/, "v…")}`))].toSorted();
}

test("a chart that is raised, a module that is taken away and one that comes back touch what is theirs and what lets them in", async () => {
  const row = '"argo-cd": {},';
  const older = await argoCdObjects();
  expect(await writtenElsewhere(OLDER, row)).toEqual([]);
  const raised = await argoCdObjects();
  expect(raised).not.toEqual(older);
  // Its host name is removed, and the ingress controller's policy no longer lets it through.
  const others = [
    "kubernetes apply apps/v1 deployments external-dns/external-dns",
    "kubernetes apply networking.k8s.io/v1 networkpolicies traefik/declared-flows",
    "kubernetes apply v1 secrets external-dns/sh.helm.release.v1.external-dns.v…",
  ];
  expect(await writtenElsewhere(row, "")).toEqual(others);
  expect(await argoCdObjects()).toEqual({});
  expect((await rehearsal.kubernetes("sandboxy", "/api/v1/namespaces/argocd")).status).toBe(404);
  expect((await writtenElsewhere("traefik: {},", `traefik: {}, ${row}`)).filter((write) => !write.startsWith("pihole "))).toEqual(others);
  expect(await argoCdObjects()).toEqual(raised);
  expect(await rehearsal.resolveAll(["sandboxy.argocd.fullstack.pw"])).toEqual({ "sandboxy.argocd.fullstack.pw": POOL.first });
  expect(await rehearsal.unhandled()).toEqual([]);
});

test("a join that failed is done with a new token by the next up, however late that is", async () => {
  await rehearsal.ssh("192.168.1.22", "sudo -n kubeadm reset -f && sudo -n rm -rf /etc/kubernetes");
  await rehearsal.ssh("192.168.1.21", "echo 0 | sudo -n tee /run/homelab/kubeadm.admitted");
  await rehearsal.ssh("192.168.1.21", `sudo -n sed -i 's/"tokens":{[^}]*}/"tokens":{}/' /var/lib/etcd/lab-cluster.json`);
  const URN = `urn:pulumi:sandboxy::homelab::homelab:hosts:HostRole$command:remote:Command::${WORKER}-kubeadm-node-run`;
  const { code, out, err } = await rehearsal.shell(
    `cd ${quote(checkout)} && eval "$(node orchestrator/bin/homelab lab env)" && engine/bin/pulumi -C ${quote(path.join(rehearsal.dir, "work"))} up --yes --stack sandboxy --replace ${quote(URN)} --non-interactive`,
  );
  expect([code, err, code === 0 ? "" : out]).toEqual([0, "", ""]);
  expect(await rehearsal.ssh("192.168.1.22", "sudo -n sh -c 'ls /etc/kubernetes; systemctl is-active kubelet'")).toBe("kubelet.conf\nactive\n");
  expect(await rehearsal.unhandled()).toEqual([]);
});

test("destroy takes the VMs, and then bridge and storage, away", async () => {
  const before = await rehearsal.lastSeq();
  const { code, stdout, stderr } = await homelab("destroy", "--lab");
  expect([code, stderr, code === 0 ? "" : stdout]).toEqual([0, "", ""]);
  expect(await rehearsal.vms()).toEqual([]);
  const gone = (await rehearsal.writes(before)).filter(({ system }) => system === "proxmox").map(({ target, action }) => `${target} ${action}`);
  for (const last of ["homelab storage-delete", "node01 network-delete"]) expect(gone.lastIndexOf(`${WORKER} vm-delete`)).toBeLessThan(gone.indexOf(last));
  expect(await rehearsal.unhandled()).toEqual([]);
});
