import * as pulumi from "@pulumi/pulumi";
import { graphOf, registeredOf, releaseDefaults, releaseOf } from "../../tests/support/module-build";
import { only, type Registered } from "../../tests/support/pulumi-mocks";
import { reachedBy } from "./cluster-command";
import { HelmRelease, type HelmReleaseArgs } from "./helm-release";

const registered = (repository: string, more: Partial<HelmReleaseArgs> = {}): Promise<Registered[]> =>
  registeredOf(({ kubernetes, command }) => {
    reachedBy(kubernetes, { kubeconfig: pulumi.secret("the kubeconfig"), checkout: "/checkout" });
    const args = { releaseName: "app", namespace: "app", chart: { repository, name: "app", version: "1.2.3" }, values: { replicas: 1 }, ...more };
    new HelmRelease("app", args, { providers: { kubernetes, command } });
  });
const built = async (repository: string, more: Partial<HelmReleaseArgs> = {}) => releaseOf(await registered(repository, more));
/** What a command takes on standard input, with its secret marker. */
const taskOf = (resources: readonly Registered[]): unknown => {
  const stdin = only(resources, "command:local:Command").inputs["stdin"] as { value: string };
  return JSON.parse(stdin.value);
};

const shared = { ...releaseDefaults, name: "app", namespace: "app", version: "1.2.3", values: { replicas: 1 } };

test("a chart of a repository is its name and the repository", async () => {
  expect(await built("https://charts.example.org")).toEqual({ ...shared, chart: "app", repositoryOpts: { repo: "https://charts.example.org" } });
});

test.each(["oci://registry.example.org/charts", "oci://registry.example.org/charts/"])(
  "a chart of the registry %s is its whole address",
  async (repository) => {
    expect(await built(repository)).toEqual({ ...shared, chart: "oci://registry.example.org/charts/app" });
  },
);

test("what cannot be ready yet is not waited for, and not rolled back", async () => {
  expect(await built("https://charts.example.org", { skipAwait: true, timeoutMinutes: 3 })).toMatchObject({ skipAwait: true, atomic: false, timeout: 180 });
});

test("webhooks are waited for after each revision, by a resource of its own, and the kubeconfig is a secret", async () => {
  const object = { apiVersion: "example.org/v1", kind: "Thing", metadata: { name: "asked", namespace: "app" } };
  const resources = await registered("https://charts.example.org", { admits: [object] });
  expect(graphOf(resources)).toEqual({
    "kubernetes:helm.sh/v3:Release app-release": "given-cluster",
    "command:local:Command app-admission": "given-command after app-release",
  });
  expect(taskOf(resources)).toEqual({ do: "admission", release: "app", objects: [object], budgetSeconds: 300, kubeconfig: "the kubeconfig" });
  const { stdin: _, ...inputs } = only(resources, "command:local:Command").inputs;
  expect(inputs).toEqual({ create: "node bin/components/base/cluster-task.main.js", dir: "/checkout", logging: "stderr", addPreviousOutputInEnv: false });
});

test("definitions in crds/, which Helm never upgrades, are applied before the release, or left out", async () => {
  const chart = { repository: "https://charts.example.org", name: "app", version: "1.2.3" };
  const applied = await registered("", { chart: { ...chart, crdsFolder: "apply" } });
  expect(graphOf(applied)).toEqual({
    "command:local:Command app-crds": "given-command",
    "kubernetes:helm.sh/v3:Release app-release": "given-cluster after app-crds",
  });
  expect(taskOf(applied)).toEqual({ do: "crds", chart, budgetSeconds: 120, kubeconfig: "the kubeconfig" });
  expect(releaseOf(applied)).toMatchObject({ skipCrds: true });
  const left = await registered("", { chart: { ...chart, crdsFolder: "leave-out" } });
  expect(graphOf(left)).toEqual({ "kubernetes:helm.sh/v3:Release app-release": "given-cluster" });
  expect(releaseOf(left)).toMatchObject({ skipCrds: true });
});
