import { registeredOf, releaseDefaults, releaseOf } from "../../tests/support/module-build";
import { HelmRelease, type HelmReleaseArgs } from "./helm-release";

const built = async (repository: string, more: Partial<HelmReleaseArgs> = {}) =>
  releaseOf(
    await registeredOf(({ kubernetes }) => {
      const args = { releaseName: "app", namespace: "app", chart: { repository, name: "app", version: "1.2.3" }, values: { replicas: 1 }, ...more };
      new HelmRelease("app", args, { providers: { kubernetes } });
    }),
  );

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
