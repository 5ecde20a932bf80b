/** Rollouts as the API of a cluster in the lab shows them, asked as `homelab apps --rollout` asks; and the states that no controller stays in. */
import { spawn } from "node:child_process";
import * as path from "node:path";
import { inLabWorld, type LabWorld, type WorldCluster } from "../../tests/support/lab-world";
import { runCommand } from "../../tests/support/run-command";
import { rolloutOf, waitForRollouts } from "./rollouts";

let world: LabWorld;
let dev: WorldCluster;
inLabWorld(async (made) => {
  ({ world, dev } = made);
  await dev.namespace("web");
});

const IMAGE = `registry.example.org/library/web@sha256:${"1".repeat(64)}`;
const NEXT = `registry.example.org/library/web@sha256:${"2".repeat(64)}`;
const labels = { app: "web" };
const spec = (image: string) => ({
  replicas: 2,
  selector: { matchLabels: labels },
  template: { metadata: { labels }, spec: { containers: [{ name: "web", image }] } },
});

/** What the program's child says, as the orchestrator asks it. */
async function asked(kubeconfig: string, image: string, seconds = 0): Promise<unknown> {
  const child = spawn(process.execPath, [path.join(__dirname, "..", "..", "bin", "stacks", "rollouts.js")], { stdio: ["pipe", "pipe", "pipe"] });
  const { code, out, err } = await runCommand(child, JSON.stringify({ seconds, clusters: [{ stack: "dev", kubeconfig, apps: [{ name: "web", image }] }] }));
  expect([code, err]).toEqual([0, ""]);
  return (JSON.parse(out) as { apps: unknown[] }).apps;
}

test("what runs is of the image that is wanted, and all of its replicas are; whatever else is there is said", async () => {
  const port = world.ctx.network.resolve("192.168.1.12", 6443)?.port;
  const kubeconfig = dev.cluster.adminKubeconfig({ server: `https://127.0.0.1:${port}` });
  expect(await asked(kubeconfig, IMAGE)).toEqual([{ stack: "dev", app: "web", state: "progressing", says: "has no Deployment" }]);
  dev.create({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace: "web" }, spec: spec(IMAGE) });
  await world.settled();
  expect(await asked(kubeconfig, IMAGE)).toEqual([{ stack: "dev", app: "web", state: "done", says: "2 of 2 replicas run it" }]);
  expect(await asked(kubeconfig, NEXT)).toEqual([{ stack: "dev", app: "web", state: "progressing", says: `is still told to run ${IMAGE}` }]);
  // Somebody else, such as Argo CD, deploys it during the wait.
  const waiting = asked(kubeconfig, NEXT, 60);
  dev.modify("apps/v1", "Deployment", "web", "web", (object) => ({ ...object, spec: spec(NEXT) }));
  await world.settled();
  expect(await waiting).toEqual([{ stack: "dev", app: "web", state: "done", says: "2 of 2 replicas run it" }]);
  await world.stop();
  expect(await asked(kubeconfig, NEXT)).toEqual([{ stack: "dev", app: "web", state: "progressing", says: expect.stringMatching(/no answer/) }]);
});

const answering = (status: object, generation = 3) => ({
  request: async () => ({ status: 200, message: "", body: { metadata: { generation }, spec: spec(IMAGE), status: { observedGeneration: 3, ...status } } }),
});
const all = { replicas: 2, updatedReplicas: 2, availableReplicas: 2 };

test.each([
  [all, 3, "done", "2 of 2 replicas run it"],
  [all, 4, "progressing", "its controller has not seen the change"],
  [{}, 3, "progressing", "0 of 2 replicas are new"],
  [{ ...all, updatedReplicas: 1 }, 3, "progressing", "1 of 2 replicas are new"],
  [{ ...all, replicas: 3 }, 3, "progressing", "former replicas are still there: 1"],
  [{ ...all, availableReplicas: 1 }, 3, "progressing", "1 of 2 new replicas are available"],
  [{ ...all, availableReplicas: 1, conditions: [{ type: "Progressing", reason: "ProgressDeadlineExceeded", message: "timed out" }] }, 3, "failed", "timed out"],
])("%j of generation %i is %s: %s", async (status, generation, state, says) => {
  expect(await rolloutOf(answering(status, generation), { name: "web", image: IMAGE })).toEqual({ state, says });
});

test("it is asked again until all are done or failed, or the time is over", async () => {
  let [now, asks] = [0, 0];
  const sleep = async (ms: number): Promise<void> => {
    now += ms;
  };
  const clock = { now: () => now, sleep };
  const late = { name: "late", image: IMAGE, api: { request: () => answering(++asks < 3 ? {} : all).request() } };
  const stuck = { name: "stuck", image: IMAGE, api: answering({}) };
  expect([...(await waitForRollouts([late], 60, clock)).values()].map(({ state }) => state)).toEqual(["done"]);
  expect([asks, now]).toEqual([3, 10_000]);
  expect([...(await waitForRollouts([late, stuck], 60, clock)).values()].map(({ state }) => state)).toEqual(["done", "progressing"]);
  expect(now).toBe(70_000);
});
