/** Releases of charts: which inputs there are, and what is kept however an installation ends. */
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { KubernetesClient } from "../../../providers/kubernetes/client";
import { revisions, writeRecord } from "../../../providers/kubernetes/helm/record";
import { specOf } from "../../../providers/kubernetes/helm/release-inputs";
import { readKubeconfig } from "../../../providers/kubernetes/kubeconfig";
import { provider } from "../../../providers/kubernetes/provider";
import { Secret, toJsonObject, type Values } from "../../../providers/sdk/values";
import { partialFailure, type State, TestProvider } from "../../support/test-provider";
import { type KubernetesUnderTest, MERGE, startLabApi } from "./under-test";

const RELEASE = "kubernetes:helm.sh/v3:Release";
const NEVER = new AbortController().signal;

let api: KubernetesUnderTest;
let charts: http.Server;
let client: KubernetesClient;
let plugin: TestProvider;
/** Objects beside the chart's ConfigMap. */
let more: object[] = [];
/** What the chart has in its folder for definitions. */
let crds: object[] = [];
/** What the lab has told apart as hooks. */
let hooks: object[] = [];
/** What was asked of the chart. */
let asked: { kubeVersion?: string } = {};

beforeAll(async () => {
  api = await startLabApi({ controllers: false });
  charts = http.createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on("end", () => {
      asked = JSON.parse(text) as { kubeVersion?: string };
      const { values, releaseName } = asked as { values: { greeting?: string }; releaseName: string };
      const greeting = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: releaseName }, data: { greeting: values.greeting ?? "" } };
      response.end(JSON.stringify({ manifests: [greeting, ...more], crds, hooks, chart: { name: "greeter", version: "1.2.3", appVersion: "9.0" } }));
    });
  });
  await new Promise<void>((resolve) => charts.listen(0, "127.0.0.1", resolve));
  process.env["HOMELAB_CHART_STAND_IN"] = `http://127.0.0.1:${(charts.address() as AddressInfo).port}`;
  client = new KubernetesClient(readKubeconfig(api.kubeconfig), "default");
});
beforeEach(async () => {
  [more, crds, hooks] = [[], [], []];
  plugin = await TestProvider.start(provider, { kubeconfig: api.kubeconfig });
});
afterEach(() => plugin.close());
afterAll(async () => {
  delete process.env["HOMELAB_CHART_STAND_IN"];
  await client.close();
  await new Promise((resolve) => charts.close(resolve));
  await api.stop();
  expect(api.unhandled()).toEqual([]);
});

const release = (name: string, given: Values = {}): Values => ({ chart: "greeter", name, skipAwait: true, values: { greeting: "hello" }, ...given });
const records = async (name: string) => (await revisions(client, "default", name, NEVER)).map(({ version, info }) => [version, info.status]);
const neverReady = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "never" },
  spec: { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "c:1" }] } } },
};

describe("inputs", () => {
  test("every input of the SDK's release is honoured or refused by name; none is dropped", async () => {
    const source = fs.readFileSync(require.resolve("@pulumi/kubernetes/helm/v3/release.js"), "utf8");
    const names = [...new Set([...source.matchAll(/resourceInputs\["(\w+)"\]/g)].map(([, name]) => name ?? ""))].filter((name) => name !== "status");
    expect(names.length).toBeGreaterThan(30);
    const texts = ["chart", "name", "namespace", "version", "description", "keyring", "postrender", "compat"];
    const sample = (name: string): Values[string] => {
      if (texts.includes(name)) return "true";
      if (["timeout", "maxHistory"].includes(name)) return 3;
      return ["values", "repositoryOpts", "manifest", "resourceNames"].includes(name) ? { repo: "x" } : name === "valueYamlFiles" ? ["x"] : true;
    };
    const refused: string[] = [];
    for (const name of names) {
      const news = { chart: "c", name: "r", namespace: "n", values: { gone: null }, [name]: sample(name) };
      const { inputs, failures } = await plugin.check(RELEASE, news);
      if (failures.length > 0) {
        expect(failures).toEqual([expect.stringMatching(new RegExp(`^${name}: the embedded provider does not have it \\(.+\\); the official plugin has$`))]);
        refused.push(name);
      } else if (name !== "compat") {
        // What it does is in what is installed.
        const [without, withIt] = [specOf({ chart: "c", name: "r", namespace: "n" }, "d"), specOf(toJsonObject(inputs), "d")];
        expect([name, JSON.stringify(withIt)]).not.toEqual([name, JSON.stringify(without)]);
      }
    }
    expect(refused.sort()).toEqual(["disableCRDHooks", "lint", "manifest", "postrender", "recreatePods", "replace", "resourceNames", "valueYamlFiles"]);
  });

  test.each([
    [{ atommic: true }, "atommic: the embedded provider does not support this property: did you mean `atomic`?"],
    [{ repositoryOpts: { pasword: "x" } }, "repositoryOpts.pasword: the embedded provider does not support this property: did you mean `password`?"],
    [{ maxHistory: "ten" }, "maxHistory: Invalid input: expected number, received string"],
  ] as [Values, string][])("%j is an error that names it", async (given, failure) => {
    expect((await plugin.check(RELEASE, release("r", given))).failures).toEqual([failure]);
  });

  test("the repository's password is secret whatever the program said", async () => {
    const { inputs } = await plugin.check(RELEASE, release("r", { repositoryOpts: { repo: "https://r", username: "u", password: "p" } }));
    expect((inputs["repositoryOpts"] as Values)["password"]).toEqual(new Secret("p"));
  });
});

describe("hooks of the lab's charts", () => {
  const jobSpec = { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "busybox:1.36" }] } } };
  const hook = (name: string, events: string, more: Record<string, string> = {}) => ({
    ...{ apiVersion: "batch/v1", kind: "Job", spec: jobSpec },
    metadata: { name, annotations: { "helm.sh/hook": events, ...more } },
  });
  const jobs = "/apis/batch/v1/namespaces/default/jobs";
  const isThere = (path: string) =>
    api.call("GET", path).then(
      () => true,
      () => false,
    );

  /** Ends each job that comes, and notes when it came: with the release's own object, or without. */
  async function ending(name: string, work: Promise<unknown>, ends: "Complete" | "Failed" = "Complete"): Promise<{ seen: string[]; outcome: unknown }> {
    const seen: string[] = [];
    let over = false;
    const outcome = work
      .then(
        () => "done",
        (thrown: unknown) => partialFailure(thrown)?.reasons.join() ?? (thrown as Error).message,
      )
      .finally(() => {
        over = true;
      });
    while (!over) {
      const { items } = (await api.call("GET", jobs)) as { items: { metadata: { name: string }; status?: { conditions?: unknown } }[] };
      for (const { metadata, status } of items) {
        if (status?.conditions !== undefined) continue;
        seen.push(`${metadata.name} ${(await isThere(`/api/v1/namespaces/default/configmaps/${name}`)) ? "with" : "without"} the object`);
        await api.call(
          "PATCH",
          `${jobs}/${metadata.name}/status`,
          { status: { conditions: [{ type: ends, status: "True", reason: "Test" }] } },
          { type: MERGE },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return { seen, outcome: await outcome };
  }

  test("run before and after an installation, an upgrade and a removal, by weight; their policies say what stays", async () => {
    more = [
      hook("b-first", "pre-install", { "helm.sh/hook-weight": "-5", "helm.sh/hook-delete-policy": "hook-succeeded" }),
      hook("a-second", "pre-install,pre-upgrade"),
      hook("after", "post-install", { "helm.sh/hook-weight": "1" }),
      hook("leaving", "pre-delete", { "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded" }),
      hook("a-test", "test"),
    ];
    const { inputs } = await plugin.check(RELEASE, release("hooked"));
    let state: State | undefined;
    const creation = plugin.create(RELEASE, inputs).then((made) => {
      state = made;
    });
    expect(await ending("hooked", creation)).toEqual({
      seen: ["b-first without the object", "a-second without the object", "after with the object"],
      outcome: "done",
    });
    expect(await Promise.all(["b-first", "a-second", "after", "a-test"].map((name) => isThere(`${jobs}/${name}`)))).toEqual([false, true, true, false]);
    if (state === undefined) throw new Error("not made");
    const next = (await plugin.check(RELEASE, release("hooked", { values: { greeting: "again" } }), inputs)).inputs;
    // The job of before goes first: else nothing would run.
    expect(await ending("hooked", plugin.update(RELEASE, state, next))).toEqual({ seen: ["a-second with the object"], outcome: "done" });
    expect(await ending("hooked", plugin.delete(RELEASE, state))).toEqual({ seen: ["leaving with the object"], outcome: "done" });
    expect(await Promise.all(["leaving", "after"].map((name) => isThere(`${jobs}/${name}`)))).toEqual([false, true]);
    for (const name of ["a-second", "after"]) await api.call("DELETE", `${jobs}/${name}?propagationPolicy=Background`);
  });

  test("those that the lab has told apart from the objects run as well", async () => {
    hooks = [{ manifest: hook("apart", "post-install"), events: ["post-install"], weight: 0, deletePolicies: [] }];
    const { inputs } = await plugin.check(RELEASE, release("parted"));
    expect(await ending("parted", plugin.create(RELEASE, inputs))).toEqual({ seen: ["apart with the object"], outcome: "done" });
    await api.call("DELETE", `${jobs}/apart?propagationPolicy=Background`);
  });

  test("one that fails fails the release, which is on record as failed; the objects after it are not made", async () => {
    more = [hook("fails", "pre-install", { "helm.sh/hook-delete-policy": "hook-failed" })];
    const { inputs } = await plugin.check(RELEASE, release("unhooked"));
    const { seen, outcome } = await ending("unhooked", plugin.create(RELEASE, inputs), "Failed");
    expect(seen).toEqual(["fails without the object"]);
    expect(outcome).toContain("release unhooked: pre-install hook Job fails: the job failed: Test");
    expect(await records("unhooked")).toEqual([[1, "failed"]]);
    expect([await isThere("/api/v1/namespaces/default/configmaps/unhooked"), await isThere(`${jobs}/fails`)]).toEqual([false, false]);
  });

  test("disableWebhooks leaves them out", async () => {
    more = [hook("never", "pre-install,pre-delete")];
    const { inputs } = await plugin.check(RELEASE, release("quiet", { disableWebhooks: true }));
    const state = await plugin.create(RELEASE, inputs);
    await plugin.delete(RELEASE, state);
    expect(await isThere(`${jobs}/never`)).toBe(false);
  });
});

describe("as helm has it", () => {
  const definition = (name: string, served: boolean, more: Record<string, string> = {}) => ({
    ...{ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: { name: `${name}s.example.org`, annotations: more } },
    spec: {
      ...{ group: "example.org", scope: "Namespaced", names: { kind: name, plural: `${name}s` } },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", ...(served ? { description: "new" } : {}) } } }],
    },
  });
  const pathOf = (name: string): string => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}s.example.org`;
  const live = (name: string) => api.call("GET", pathOf(name));

  /** Establishes definitions as a controller does, until the work is done. */
  async function establishing<T>(names: string[], work: Promise<T>): Promise<T> {
    let over = false;
    const ended = work.finally(() => {
      over = true;
    });
    ended.catch(() => undefined);
    while (!over) {
      for (const name of names)
        await api
          .call(
            "PATCH",
            `${pathOf(name)}/status`,
            {
              status: {
                conditions: [
                  { type: "Established", status: "True" },
                  { type: "NamesAccepted", status: "True" },
                ],
              },
            },
            { type: MERGE },
          )
          .catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return ended;
  }

  test("a chart is rendered for the version of the cluster's Kubernetes", async () => {
    const made = await plugin.make(RELEASE, release("versioned"));
    expect(asked.kubeVersion).toBe(((await api.call("GET", "/version")) as { gitVersion: string }).gitVersion);
    await plugin.delete(RELEASE, made);
  });

  test("what lies in a chart's crds/ comes with the first revision, and no later one changes or removes it", async () => {
    crds = [definition("lasting", false)];
    const made = await establishing(["lasting"], plugin.make(RELEASE, release("defining")));
    const before = JSON.stringify((await live("lasting"))["spec"]);
    crds = [definition("lasting", true)];
    const news = (await plugin.check(RELEASE, release("defining", { values: { greeting: "b" } }), made.inputs)).inputs;
    await plugin.update(RELEASE, made, news);
    await plugin.delete(RELEASE, made);
    expect(JSON.stringify((await live("lasting"))["spec"])).toBe(before);
  });

  test("an object with the policy to keep it outlives its release; a definition among the templates does not", async () => {
    more = [definition("kept", false, { "helm.sh/resource-policy": "keep" }), definition("gone", false)];
    const made = await establishing(["kept", "gone"], plugin.make(RELEASE, release("keeping")));
    await plugin.delete(RELEASE, made);
    expect(await live("kept")).toMatchObject({ kind: "CustomResourceDefinition" });
    await expect(live("gone")).rejects.toThrow("404");
  });

  test.each(["pending-install", "pending-upgrade", "pending-rollback", "uninstalling"])(
    "a release that a cut run left as %s is gone on with",
    async (status) => {
      const name = `cut-${status}`;
      const { inputs } = await plugin.check(RELEASE, release(name));
      const made = await plugin.create(RELEASE, inputs);
      const [record] = await revisions(client, "default", name, NEVER);
      if (record === undefined) throw new Error("no record");
      await writeRecord(client, { ...record, info: { ...record.info, status } }, NEVER);
      await plugin.create(RELEASE, inputs);
      expect(await records(name)).toEqual([
        [1, "superseded"],
        [2, "deployed"],
      ]);
      await plugin.delete(RELEASE, made);
    },
  );
});

test("a list in a record is its objects, and one that the API names is none that is looked for", async () => {
  const state = await plugin.make(RELEASE, release("listed"));
  const [record] = await revisions(client, "default", "listed", NEVER);
  if (record === undefined) throw new Error("no record");
  const item = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "in-a-list", namespace: "default" } };
  const more = [
    { apiVersion: "v1", kind: "List", items: [item] },
    { apiVersion: "batch/v1", kind: "Job", metadata: { generateName: "listed-" } },
  ];
  await writeRecord(client, { ...record, manifest: [record.manifest, ...more.map((each) => `${JSON.stringify(each)}\n`)].join("---\n") }, NEVER);
  const read = await plugin.read(RELEASE, state);
  expect(read?.outputs["resourceNames"]).toEqual({ "ConfigMap/v1": ["listed"], "List/v1": [""], "Job.batch/batch/v1": [""] });
  await plugin.update(RELEASE, state, release("listed", { values: { greeting: "b" } }), { preview: true });
  await api.call("POST", "/api/v1/namespaces/default/configmaps", item);
  await plugin.delete(RELEASE, state);
  await expect(api.call("GET", "/api/v1/namespaces/default/configmaps/in-a-list")).rejects.toThrow("404");
});

describe("what is kept", () => {
  const failureOf = async (call: Promise<unknown>) => partialFailure(await call.catch((thrown: unknown) => thrown));

  test("of a release that is not ready in its time", async () => {
    more = [neverReady];
    const { inputs } = await plugin.check(RELEASE, release("late", { skipAwait: false }));
    const failed = await failureOf(plugin.create(RELEASE, inputs, { timeout: 2 }));
    expect(failed).toMatchObject({ id: "default/late", outputs: { name: "late", status: { status: "failed", revision: 1 } } });
    expect(failed?.outputs["resourceNames"]).toEqual({ "ConfigMap/v1": ["late"], "Deployment.apps/apps/v1": ["never"] });
    expect(failed?.reasons[0]).toMatch(/^release default\/late is failed in revision 1: .*not ready after 2 s/);
    // The next run goes on, and what it no longer has goes.
    more = [];
    const state = { id: "default/late", inputs, outputs: failed?.outputs ?? {} };
    await plugin.update(RELEASE, state, inputs);
    expect(await records("late")).toEqual([
      [1, "superseded"],
      [2, "deployed"],
    ]);
    await plugin.delete(RELEASE, state);
    expect(await plugin.read(RELEASE, state)).toBeUndefined();
  });

  test("of a release that was cancelled", async () => {
    more = [neverReady];
    const { inputs } = await plugin.check(RELEASE, release("cancelled", { skipAwait: false }));
    const failing = failureOf(plugin.create(RELEASE, inputs));
    while ((await records("cancelled")).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    await plugin.cancel();
    expect(await failing).toMatchObject({ id: "default/cancelled", reasons: [expect.stringContaining("the operation was cancelled")] });
  });

  test("of an atomic one: nothing at first, and the last good revision later", async () => {
    more = [neverReady];
    const atomic = { skipAwait: false, atomic: true };
    const { inputs } = await plugin.check(RELEASE, release("atomic", atomic));
    expect(await failureOf(plugin.create(RELEASE, inputs, { timeout: 1 }))).toBeUndefined();
    expect(await records("atomic")).toEqual([]);
    more = [];
    const made = await plugin.make(RELEASE, release("atomic", atomic));
    more = [neverReady];
    const news = (await plugin.check(RELEASE, release("atomic", { ...atomic, values: { greeting: "worse" } }), made.inputs)).inputs;
    expect((await failureOf(plugin.update(RELEASE, made, news, { timeout: 1 })))?.reasons[0]).toContain("is deployed in revision 3");
    expect(await api.call("GET", "/api/v1/namespaces/default/configmaps/atomic")).toMatchObject({ data: { greeting: "hello" } });
    await plugin.delete(RELEASE, made);
  });

  test("no more revisions than maxHistory", async () => {
    const made = await plugin.make(RELEASE, release("history", { maxHistory: 2 }));
    for (const greeting of ["b", "c"])
      await plugin.update(RELEASE, made, (await plugin.check(RELEASE, release("history", { maxHistory: 2, values: { greeting } }))).inputs);
    expect(await records("history")).toEqual([
      [2, "superseded"],
      [3, "deployed"],
    ]);
    await plugin.delete(RELEASE, made);
  });
});

test("a release that somebody upgraded with other values shows in a refresh, and is mended", async () => {
  const made = await plugin.make(RELEASE, release("drift"));
  const [record] = await revisions(client, "default", "drift", NEVER);
  if (record === undefined) throw new Error("no record");
  await writeRecord(client, { ...record, version: 2, config: { greeting: "DRIFT" } }, NEVER);
  const untouched = await plugin.diff(RELEASE, made, made.inputs);
  const found = await plugin.read(RELEASE, made);
  if (found === undefined) throw new Error("gone");
  expect([untouched.changes, (await plugin.diff(RELEASE, found, made.inputs)).diffs]).toEqual(["none", ["values"]]);
  const mended = await plugin.update(RELEASE, found, made.inputs);
  const again = await plugin.read(RELEASE, mended);
  expect(again && (await plugin.diff(RELEASE, again, made.inputs)).changes).toBe("none");
  await plugin.delete(RELEASE, made);
});

describe("a change that Kubernetes refuses", () => {
  const set = (storage: string) => ({
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "kept" },
    spec: {
      serviceName: "kept",
      selector: { matchLabels: { a: "kept" } },
      template: { metadata: { labels: { a: "kept" } }, spec: { containers: [{ name: "c", image: "c:1" }] } },
      volumeClaimTemplates: [{ metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } } }],
    },
  });

  test("is refused at preview with the step that replaces it, and nothing is changed; what was taken away is made anew", async () => {
    more = [set("1Gi")];
    const state = await plugin.create(RELEASE, release("kept"));
    const before = await records("kept");
    more = [set("2Gi")];
    const larger = release("kept", { values: { greeting: "larger" } });
    await expect(plugin.update(RELEASE, state, larger, { preview: true })).rejects.toThrow(
      /release default\/kept: Kubernetes does not change what an object has for life: StatefulSet kept: size of the volume data: 1Gi → 2Gi[\s\S]*kubectl -n default delete statefulset kept --cascade=orphan/,
    );
    expect(await records("kept")).toEqual(before);
    await client.delete({ apiVersion: "apps/v1", kind: "StatefulSet", namespace: "default", name: "kept" }, "Orphan", NEVER);
    const planned = await plugin.update(RELEASE, state, larger, { preview: true });
    expect(planned.outputs["name"]).toBe("kept");
    await plugin.update(RELEASE, state, larger);
    expect((await records("kept")).at(-1)).toEqual([2, "deployed"]);
  });

  test("values that are not known yet hold nothing up", async () => {
    more = [];
    const state = await plugin.create(RELEASE, release("open"));
    const { UNKNOWN } = await import("../../../providers/sdk/values");
    const { outputs } = await plugin.update(RELEASE, state, release("open", { values: { greeting: UNKNOWN } }), { preview: true });
    expect([outputs["status"], outputs["resourceNames"]]).toEqual([UNKNOWN, UNKNOWN]);
  });
});
