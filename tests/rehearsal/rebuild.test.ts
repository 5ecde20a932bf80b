/**
 * The main job: the whole homelab is built, left unchanged, destroyed and built again in a lab. The results are judged by what the outside
 * world saw (the lab's records), never by a state file. The tests depend on each other and run in order.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { quote } from "../../common/quote";
import { type LabRecord, Rehearsal } from "../support/rehearsal";
import { secretsStory } from "./secrets-story";

/** A copy on purpose: the test must not take the order from the code that it tests. */
const NEEDS: Record<string, string[]> = {
  tools: [],
  observability: ["tools"],
  home: ["observability"],
  sandboxy: ["observability"],
  dev: ["observability"],
  stg: ["dev"],
  prod: ["stg"],
};
const STACKS = Object.keys(NEEDS);

const VMS: Record<string, { node: string; stack: string; status: string }> = {
  dns: { node: "node01", stack: "tools", status: "running" },
  haproxy: { node: "node01", stack: "tools", status: "running" },
  teleport: { node: "node03", stack: "tools", status: "running" },
  "boot-server": { node: "node01", stack: "tools", status: "stopped" },
  "k8s-tools": { node: "node03", stack: "tools", status: "running" },
  "k8s-observability": { node: "node03", stack: "observability", status: "running" },
  "k8s-home": { node: "node02", stack: "home", status: "running" },
  "k8s-sandbox-01": { node: "node03", stack: "sandboxy", status: "running" },
  "k8s-dev": { node: "node03", stack: "dev", status: "running" },
  "k8s-stg": { node: "node03", stack: "stg", status: "running" },
  "k8s-prod": { node: "node03", stack: "prod", status: "running" },
};

/** Each has a namespace of its own. */
const APPLICATIONS = ["ascii-frontend", "cks-backend", "cks-frontend", "enqueuer", "memorizer", "realstate-scrapper", "writer"];
const EVERYWHERE = ["box", "cert-manager", "external-dns", "external-secrets", "vault-access"];
const OWN_NAMESPACES: Record<string, string[]> = {
  tools: [
    "arc-system",
    "cnpg-system",
    "github-runners",
    "gitlab-jobs",
    "gitlab-runner",
    "harbor",
    "minio",
    "nats",
    "postgres",
    "state-backup",
    "teleport-agent",
    "valkey",
    "vault",
  ],
  observability: ["loki", "monitoring", "prometheus-operator-crds", "telemetry", "tracing"],
  home: ["cnpg-system", "immich"],
  sandboxy: ["cdi", "kubevirt", "longhorn-system", "snapshot-controller", "teleport-agent", "whoami"],
  dev: [...APPLICATIONS, "demo-web", "demo-worker", "argocd", "cnpg-system", "istio-cni", "istio-system", "postgres", "teleport-agent"].toSorted(),
  stg: APPLICATIONS,
  prod: APPLICATIONS,
};

/** The stack for which a call was made, if the call shows it. */
function stackOf({ system, target, action }: LabRecord): string | undefined {
  if (system === "kubernetes") return target;
  // All clusters write their names into one name server, and a record does not show which cluster it was.
  if (system === "pihole") return undefined;
  if (system !== "vault") return VMS[target]?.stack;
  // The stack `tools` creates the mounts, policies, roles and tokens of all stacks.
  return STACKS.find((stack) => [`kv-put clusters/${stack}/`, `auth-config kubernetes/${stack}/`].some((part) => action.startsWith(part)));
}

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = new Rehearsal();
  await rehearsal.startLab();
}, 120_000);
afterAll(() => rehearsal.close(), 60_000);

/** Asserts that every VM exists, every cluster has its namespaces, Vault has every kubeconfig, and each stack came after those that it needs. */
async function assertBuilt(writes: LabRecord[]): Promise<void> {
  const vms = await rehearsal.machines();
  expect(Object.fromEntries(vms.map(({ node, status, config }) => [config["name"], { node, status }]))).toEqual(
    Object.fromEntries(Object.entries(VMS).map(([name, { node, status }]) => [name, { node, status }])),
  );

  const first: Record<string, number> = {};
  const last: Record<string, number> = {};
  for (const record of writes) {
    const stack = stackOf(record);
    if (stack === undefined) continue;
    first[stack] ??= record.seq;
    last[stack] = record.seq;
  }
  expect(Object.keys(first).toSorted()).toEqual(STACKS.toSorted());
  const after = (stack: string, need: string): boolean => (last[need] ?? Number.NaN) < (first[stack] ?? Number.NaN);
  for (const [stack, needs] of Object.entries(NEEDS)) for (const need of needs) expect([stack, need, after(stack, need)]).toEqual([stack, need, true]);

  const namespaces = (stack: string): string[] =>
    writes.flatMap(({ system, target, action }) => (system === "kubernetes" && target === stack ? (/^apply v1 namespaces (.+)$/.exec(action)?.[1] ?? []) : []));
  for (const stack of STACKS) {
    // Each namespace was created once, and there are no others.
    expect([stack, namespaces(stack).toSorted()]).toEqual([stack, [...EVERYWHERE, ...(OWN_NAMESPACES[stack] ?? [])].toSorted()]);
  }

  const actions = (system: string): string[] => writes.filter((record) => record.system === system).map(({ action }) => action);
  expect(
    actions("vault")
      .filter((action) => /^kv-put clusters\//.test(action))
      .toSorted(),
  ).toEqual(STACKS.map((stack) => `kv-put clusters/${stack}/kubeconfig`).toSorted());
  expect(writes.filter(({ system, action }) => system === "ssh" && action === "cluster-start")).toHaveLength(STACKS.length);
}

test("up builds seven stacks, each after what it needs", async () => {
  const { code, stdout, stderr } = await rehearsal.homelab("up", "--lab");
  expect([code, stderr]).toEqual([0, ""]);
  for (const stack of STACKS) expect(stdout).toContain(`[${stack}] succeeded in `);
  await assertBuilt(await rehearsal.writes());
}, 600_000);

test("the kubeconfig of the lab has a context for each cluster, and is for its owner only", () => {
  const file = path.join(rehearsal.dir, "kubeconfig");
  const { contexts } = parse(fs.readFileSync(file, "utf8")) as { contexts: { name: string }[] };
  expect(contexts.map(({ name }) => name).toSorted()).toEqual(STACKS.toSorted());
  expect(fs.statSync(file).mode & 0o077).toBe(0);
});

/** The host names of routes, each with the address of the VM whose cluster serves it. A copy on purpose, as above. */
const ROUTES: Record<string, string> = {
  "vault.fullstack.pw": "192.168.1.15",
  "s3.fullstack.pw": "192.168.1.15",
  "minio.fullstack.pw": "192.168.1.15",
  "registry.fullstack.pw": "192.168.1.15",
  "grafana.fullstack.pw": "192.168.1.20",
  "jaeger.fullstack.pw": "192.168.1.20",
  "otel-collector.fullstack.pw": "192.168.1.20",
  "immich.fullstack.pw": "192.168.1.16",
  "whoami.fullstack.pw": "192.168.1.21",
  "dev.argocd.fullstack.pw": "192.168.1.12",
  "dev.demo.fullstack.pw": "192.168.1.12",
  ...Object.fromEntries(
    ["api.cks", "ascii", "cks", "enqueuer", "memorizer", "realstate-scrapper", "writer"].flatMap((name) => [
      [`dev.${name}.fullstack.pw`, "192.168.1.12"],
      [`stg.${name}.fullstack.pw`, "192.168.1.13"],
      [`${name}.fullstack.pw`, "192.168.1.14"],
    ]),
  ),
};

// In stg, since in dev external-dns also reads names from Istio's gateway.
test("every route's name resolves in Pi-hole, is gone after its route is, and comes back with it; what was entered by hand stays", async () => {
  await rehearsal.settle();
  expect(await rehearsal.resolveAll(Object.keys(ROUTES))).toEqual(ROUTES);
  const byHand = "dev.by-hand.fullstack.pw";
  await rehearsal.pihole("PUT", `config/dns/hosts/${encodeURIComponent(`192.168.1.99 ${byHand}`)}`);

  const route = "/apis/networking.k8s.io/v1/namespaces/ascii-frontend/ingresses";
  const { items } = z
    .object({ items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })) })
    .parse((await rehearsal.kubernetes("stg", route)).body);
  const [found] = items;
  if (found === undefined) throw new Error("stg has no route");
  expect((await rehearsal.kubernetes("stg", `${route}/${found.metadata.name}`, { method: "DELETE" })).status).toBe(200);
  await rehearsal.settle();
  const others = Object.fromEntries(Object.entries(ROUTES).filter(([name]) => name !== "stg.ascii.fullstack.pw"));
  expect(await rehearsal.resolveAll([...Object.keys(ROUTES), byHand])).toEqual({ ...others, [byHand]: "192.168.1.99" });

  for (const command of ["refresh", "up"]) {
    const { code, stdout, stderr } = await rehearsal.homelab(command, "stg", "--only", "--lab");
    expect([command, code, stderr, code === 0 ? "" : stdout]).toEqual([command, 0, "", ""]);
  }
  await rehearsal.settle();
  expect(await rehearsal.resolveAll(Object.keys(ROUTES))).toEqual(ROUTES);
}, 300_000);

test("a second up makes no call that changes anything", async () => {
  const before = await rehearsal.lastSeq();
  const { code, stdout } = await rehearsal.homelab("up", "--lab");
  expect([code, stdout.match(/succeeded in .*: no changes/g)?.length]).toEqual([0, STACKS.length]);
  expect(await rehearsal.writes(before)).toEqual([]);
}, 300_000);

test("a shell with the lab's environment works on the same stacks", async () => {
  const { code, out, err } = await rehearsal.shell(
    `eval "$(node orchestrator/bin/homelab lab env)" && engine/bin/pulumi -C ${quote(path.join(rehearsal.dir, "work"))} preview --stack dev --expect-no-changes --non-interactive`,
  );
  expect([code, err]).toEqual([0, ""]);
  expect(out).toMatch(/^ +\d{2,} unchanged\s*$/m);
}, 120_000);

const checksSchema = z.object({
  hosts: z.array(z.object({ host: z.string(), status: z.string(), roles: z.array(z.unknown()) })),
  notBuilt: z.array(z.string()),
});

test("hosts check finds every host as its roles made it, in one session a role; hosts diff shows what somebody changed, and no secret", async () => {
  const before = await rehearsal.lastSeq();
  const checked = await rehearsal.homelab("hosts", "check", "--lab", "--json");
  // On a failure, the output shows which host, and why.
  expect([checked.code, checked.stderr, checked.code === 0 ? "" : checked.stdout]).toEqual([0, "", ""]);
  const { hosts, notBuilt } = checksSchema.parse(JSON.parse(checked.stdout));
  const running = Object.keys(VMS).filter((name) => VMS[name]?.status === "running");
  expect(Object.fromEntries(hosts.map(({ host, status, roles }) => [host, `${status} ${roles.length}`]))).toEqual(
    Object.fromEntries(running.map((name) => [name, name === "teleport" ? "no-roles 0" : "ok 1"])),
  );
  expect(notBuilt).toEqual([]);
  const sessions = (await rehearsal.records(before)).filter(({ system }) => system === "ssh");
  expect(sessions.map(({ target, kind, action }) => `${target} ${kind} ${action}`).toSorted()).toEqual(
    running
      .filter((name) => name !== "teleport")
      .map((name) => `${name} read exec`)
      .toSorted(),
  );

  await rehearsal.ssh("192.168.1.21", "echo by-hand | sudo -n tee -a /etc/modules-load.d/longhorn.conf");
  await rehearsal.ssh("192.168.1.4", "echo '# by-hand' | sudo -n tee -a /etc/haproxy/haproxy.cfg");
  const diff = await rehearsal.homelab("hosts", "diff", "--lab", "--host", "k8s-sandbox-01,haproxy,dns");
  expect([diff.code, diff.stderr]).toEqual([3, ""]);
  expect(diff.stdout).toMatch(/~ file \/etc\/modules-load.d\/longhorn.conf\n {8}the SHA-256 of .*\n(?: {8}.*\n)* {8}--- .*\n(?: {8}.*\n)* {8}-by-hand *\n/);
  expect(diff.stdout).toContain("~ file /etc/haproxy/haproxy.cfg\n    ~ service haproxy\n        haproxy runs with another configuration");
  expect(diff.stdout).not.toContain("dns (tools)");
  expect(diff.stdout).not.toContain("lab-only-haproxy-stats");
}, 300_000);

test("hosts apply mends what somebody changed, on the hosts that are named and nowhere else", async () => {
  const before = await rehearsal.lastSeq();
  const named = ["--lab", "--host", "k8s-sandbox-01,haproxy,dns"];
  const applied = await rehearsal.homelab("hosts", "apply", ...named);
  expect([applied.code, applied.stderr]).toEqual([0, ""]);
  expect(applied.stdout).toMatch(/^dns +tools +as it should be +0 +\d+$/m);
  expect(applied.stdout).toMatch(/^haproxy +tools +changed +2 +\d+$/m);
  expect(applied.stdout).toMatch(/^k8s-sandbox-01 +sandboxy +changed +1 +\d+$/m);
  const touched = (await rehearsal.records(before)).filter(({ system }) => system === "ssh").map(({ target }) => target);
  expect(touched.toSorted()).toEqual(["dns", "haproxy", "k8s-sandbox-01"]);
  expect((await rehearsal.homelab("hosts", "check", ...named)).code).toBe(0);
  expect(await rehearsal.ssh("192.168.1.4", "sudo -n grep -c by-hand /etc/haproxy/haproxy.cfg; systemctl is-active haproxy")).toBe("0\nactive\n");
}, 120_000);

test("the comment's text of a preview holds the table, no secret, and fits into a comment", async () => {
  const file = path.join(rehearsal.dir, "comment.md");
  const before = await rehearsal.lastSeq();
  const { code, stdout } = await rehearsal.homelab("preview", "--lab", "--markdown", file);
  const text = fs.readFileSync(file, "utf8");
  expect([code, text.length < 65_536]).toEqual([0, true]);
  for (const stack of STACKS) expect(text).toMatch(new RegExp(`\\| *\\W*${stack}\\W* *\\|`));
  const kubeconfig = fs.readFileSync(path.join(rehearsal.dir, "kubeconfig"), "utf8");
  const { users } = parse(kubeconfig) as { users: { user: Record<string, string> }[] };
  for (const { user } of users) for (const value of Object.values(user)) expect(text).not.toContain(value);
  // Stack references in the state do not show as deletions.
  expect(stdout).not.toMatch(/ to (create|update|replace|delete)$/m);
  expect(await rehearsal.writes(before)).toEqual([]);
}, 300_000);

test("destroy goes backwards and leaves no VM", async () => {
  const before = await rehearsal.lastSeq();
  const { code, stdout, stderr } = await rehearsal.homelab("destroy", "--lab");
  expect([code, stderr, code === 0 ? "" : stdout]).toEqual([0, "", ""]);
  expect(await rehearsal.vms()).toEqual([]);
  const gone = (await rehearsal.writes(before)).filter(({ system, action }) => system === "proxmox" && action === "vm-delete").map(({ target }) => target);
  for (const [stack, needs] of Object.entries(NEEDS)) {
    for (const need of needs) {
      const position = (of: string): number => gone.findIndex((vm) => VMS[vm]?.stack === of);
      expect([stack, need, position(stack) < position(need)]).toEqual([stack, need, true]);
    }
  }
  expect(gone.filter((vm) => vm in VMS).toSorted()).toEqual(Object.keys(VMS).toSorted());
}, 300_000);

test("Ctrl-C in the middle of a rebuild lets what runs finish and starts nothing more; the next up goes on from there", async () => {
  const before = await rehearsal.lastSeq();
  const interrupted = rehearsal.start(["up", "--lab"]);
  await interrupted.printed("k8s-tools created");
  interrupted.child.kill("SIGINT");
  const { code, stdout } = await interrupted.done;
  expect(code).toBe(130);
  expect(stdout).toContain("[tools] succeeded in ");
  expect(stdout).not.toContain("[observability] started");

  const { code: again, stderr } = await rehearsal.homelab("up", "--lab");
  expect([again, stderr]).toEqual([0, ""]);
  await assertBuilt(await rehearsal.writes(before));
}, 600_000);

secretsStory(() => rehearsal);

test("every call that the whole story made is one that the lab models", async () => {
  expect(await rehearsal.unhandled()).toEqual([]);
});
