import { inLabWorld, type LabWorld, type WorldCluster } from "../../tests/support/lab-world";
import type { KubeObject } from "../kubernetes";

const API = "actions.github.com/v1alpha1";
const CHARTS = "oci://ghcr.io/actions/actions-runner-controller-charts";
let world: LabWorld;
let dev: WorldCluster;

inLabWorld((made) => {
  ({ world, dev } = made);
});

const controller = () => dev.install(CHARTS, "gha-runner-scale-set-controller", "0.14.2", { serviceAccount: { name: "arc" } }, "arc-system");
const set = () =>
  dev.install(
    CHARTS,
    "gha-runner-scale-set",
    "0.14.2",
    { githubConfigUrl: "https://github.com/example", githubConfigSecret: "token", runnerScaleSetName: "home", minRunners: 1, maxRunners: 2 },
    "runners",
  );
const found = () => dev.find(API, "AutoscalingRunnerSet", "runners", "home");
const listener = () => dev.find("v1", "Pod", "arc-system", "home-listener");

test("a set with its Secret has a listener; the controller lets the set and the other objects of its chart be deleted", async () => {
  await controller();
  await set();
  await world.settled();
  expect(listener()).toBeUndefined();
  dev.create({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "token", namespace: "runners" },
    stringData: { github_token: "x" },
  } as unknown as KubeObject);
  await world.settled();
  expect(found()).toMatchObject({ metadata: { finalizers: ["autoscalingrunnerset.actions.github.com/finalizer"] }, status: { currentRunners: 1 } });
  expect(listener()).toBeDefined();
  dev.remove(API, "AutoscalingRunnerSet", "runners", "home");
  await world.settled();
  expect([found(), listener()]).toEqual([undefined, undefined]);
  expect(dev.all("v1", "ServiceAccount", "runners").flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([]);
});

test("without the controller a set that is deleted stays", async () => {
  await controller();
  await set();
  await world.settled();
  for (const { metadata } of dev.all("apps/v1", "Deployment", "arc-system")) dev.remove("apps/v1", "Deployment", "arc-system", metadata.name);
  await world.settled();
  dev.remove(API, "AutoscalingRunnerSet", "runners", "home");
  await world.settled();
  expect(found()?.metadata.deletionTimestamp).toBeDefined();
});
