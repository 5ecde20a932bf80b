/** What our commands do in a cluster, against the lab's API with its charts and their webhooks. */
import type { Clock } from "../../common/clock";
import { LabWorld, type WorldCluster } from "../../tests/support/lab-world";
import { runClusterTask } from "./cluster-task";

const ADDRESS = "192.168.1.12";
const JETSTACK = ["https://charts.jetstack.io", "cert-manager", "v1.21.1"] as const;
const ISSUER = { apiVersion: "cert-manager.io/v1", kind: "Issuer", metadata: { name: "asked", namespace: "cert-manager" }, spec: { selfSigned: {} } };

let world: LabWorld;
let dev: WorldCluster;
beforeEach(async () => {
  world = await LabWorld.start();
  dev = await world.cluster("dev", ADDRESS);
  process.env["HOMELAB_CHART_STAND_IN"] = world.chartStandIn;
});
afterEach(async () => {
  delete process.env["HOMELAB_CHART_STAND_IN"];
  await world.stop();
});

/** A clock that only `sleep` moves. @param during what happens in the first, second, … sleep */
function clockWith(...during: (() => Promise<void>)[]): Clock & { waits: number } {
  let now = 0;
  const clock = {
    waits: 0,
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
      await during[clock.waits++]?.();
      await world.settled();
    },
  };
  return clock;
}

function run(task: object, clock: Clock = clockWith(), budgetSeconds = 10): Promise<string> {
  const server = `https://127.0.0.1:${world.ctx.network.resolve(ADDRESS, 6443)?.port}`;
  return runClusterTask(JSON.stringify({ ...task, budgetSeconds, kubeconfig: dev.cluster.adminKubeconfig({ server }) }), clock);
}

const admission = (objects: object[] = [ISSUER]): object => ({ do: "admission", release: "cert-manager", revision: 1, objects });
const scale = async (replicas: number): Promise<void> => {
  dev.modify("apps/v1", "Deployment", "cert-manager", "cert-manager-webhook", (o) => ({ ...o, spec: { ...(o["spec"] as object), replicas } }));
  await world.settled();
};

test("admission is waited for: until the kind is there, and its webhook answers; nothing of what is asked about is kept", async () => {
  const clock = clockWith(
    async () => {
      await dev.install(...JETSTACK, { crds: { enabled: true } });
      await scale(0);
    },
    () => Promise.resolve(),
    () => scale(1),
  );
  expect(await run(admission(), clock)).toBe('{"admitted":["Issuer"]}\n');
  expect(clock.waits).toBe(3);
  expect(dev.all("cert-manager.io/v1", "Issuer")).toEqual([]);
  expect(world.ctx.unhandled.all()).toEqual([]);
});

test("a webhook that is not reached in time is an error with its words", async () => {
  await dev.install(...JETSTACK, { crds: { enabled: true } });
  await scale(0);
  await expect(run(admission())).rejects.toMatchObject({
    code: "E_ADMISSION",
    message: expect.stringMatching(
      /^release cert-manager: its webhooks do not admit the kind Issuer of cert-manager.io\/v1 within 10 s: .*no endpoints available/,
    ),
  });
});

test("a refusal lasts, and is not asked about again", async () => {
  await dev.install(...JETSTACK, { crds: { enabled: true } });
  world.ctx.faults.queue({ name: "kubernetes.webhook-denies", target: "webhook.cert-manager.io", parameters: { message: "no" } });
  const clock = clockWith();
  await expect(run(admission(), clock)).rejects.toMatchObject({
    code: "E_ADMISSION",
    message:
      'release cert-manager: the cluster refuses a valid object of the kind Issuer of cert-manager.io/v1: admission webhook "webhook.cert-manager.io" denied the request: no',
  });
  expect(clock.waits).toBe(0);
});

const CHART = { repository: "https://kubernetes-sigs.github.io/external-dns", name: "external-dns", version: "1.21.1" };
const DEFINITION = ["apiextensions.k8s.io/v1", "CustomResourceDefinition", undefined, "dnsendpoints.externaldns.k8s.io"] as const;

test("definitions of a chart's folder are applied and established, those of an earlier version brought to this one", async () => {
  expect(await run({ do: "crds", chart: CHART })).toBe('{"crds":["dnsendpoints.externaldns.k8s.io"]}\n');
  const first = dev.find(...DEFINITION)?.["spec"];
  dev.modify(...DEFINITION, (o) => ({ ...o, spec: { ...(o["spec"] as object), names: { ...(o["spec"] as { names: object }).names, listKind: "Former" } } }));
  expect(JSON.stringify(dev.find(...DEFINITION)?.["spec"])).not.toBe(JSON.stringify(first));
  await run({ do: "crds", chart: CHART });
  expect(JSON.stringify(dev.find(...DEFINITION)?.["spec"])).toBe(JSON.stringify(first));
});

test("a chart without any says so, and so does one that nobody has", async () => {
  const [repository, name, version] = JETSTACK;
  await expect(run({ do: "crds", chart: { repository, name, version } })).rejects.toMatchObject({
    code: "E_CHART_CRDS",
    message: "definitions of chart cert-manager v1.21.1: it has none in crds/",
  });
  await expect(run({ do: "crds", chart: { ...CHART, version: "0" } })).rejects.toMatchObject({ code: "E_CHART_CRDS" });
});

const VAULT = ["https://helm.releases.hashicorp.com", "vault", "0.34.1"] as const;
const rollout = { do: "rollout", set: { namespace: "vault", name: "vault" } };
const podOfVault = () => {
  const pod = dev.find("v1", "Pod", "vault", "vault-0");
  return { uid: pod?.metadata.uid, image: (pod?.["spec"] as { containers: { image: string }[] } | undefined)?.containers[0]?.image };
};

test("a set that waits for it gets pods of its new template, once; a pod that is as the set says is left alone", async () => {
  await dev.install(...VAULT, { injector: { enabled: false }, server: { image: { tag: "1.18.1" } } });
  await world.settled();
  expect(await run(rollout)).toBe('{"replaced":[]}\n');
  const before = podOfVault();
  expect(before.image).toBe("hashicorp/vault:1.18.1");
  dev.modify("apps/v1", "StatefulSet", "vault", "vault", (set) =>
    JSON.parse(JSON.stringify(set).replaceAll("hashicorp/vault:1.18.1", "hashicorp/vault:1.21.9")),
  );
  await world.settled();
  expect(podOfVault()).toEqual(before);
  expect(await run(rollout)).toBe('{"replaced":["vault-0"]}\n');
  await world.settled();
  const after = podOfVault();
  expect(after.image).toBe("hashicorp/vault:1.21.9");
  expect(await run(rollout)).toBe('{"replaced":[]}\n');
  expect(podOfVault()).toEqual(after);
  expect(world.ctx.unhandled.all()).toEqual([]);
});

test("a set that is not there, and a pod that does not come back, are errors that say which", async () => {
  await expect(run(rollout)).rejects.toMatchObject({
    code: "E_ROLLOUT",
    message: expect.stringMatching(/^StatefulSet vault\/vault: the cluster's API refuses to show it/),
  });
  await dev.install(...VAULT, { injector: { enabled: false } });
  await world.settled();
  world.ctx.faults.queue({ name: "kubernetes.image-pull", target: "nowhere.example/vault:1", times: 100 });
  dev.modify("apps/v1", "StatefulSet", "vault", "vault", (set) =>
    JSON.parse(JSON.stringify(set).replaceAll("hashicorp/vault:2.0.4", "nowhere.example/vault:1")),
  );
  await world.settled();
  await expect(run(rollout)).rejects.toMatchObject({
    code: "E_ROLLOUT",
    message: "StatefulSet vault/vault: the pod vault-0 was deleted, and the one in its place does not run within 10 s",
    hint: "look at its pods (kubectl -n vault describe pod), and run the stack again",
  });
});
