/**
 * Argo CD itself delivers the whole of `gitops/`: the root finds the project and the set of an environment, and the set's Applications sync
 * what `homelab render` writes. Each environment has a cluster with the real controllers and kwok's kubelet. What is there afterwards is
 * compared with what the program registers, applied to the same API before.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { environmentObjects, OWN_CLUSTER, rootObjects } from "../../components/platform/argo-cd/applications";
import { rootName } from "../../components/platform/argo-cd/root-name";
import type { KubeObject } from "../../lab/kubernetes";
import { planEstate } from "../../stacks/plan/plan";
import { renderApps } from "../../stacks/plan/rendered-apps";
import { manifestsFolder } from "../../stacks/plan/rendered-file";
import { chartFolder } from "../support/chart-data";
import { content, deliveredObjects, keyOf } from "../support/delivered-objects";
import { loadHomelab } from "../support/homelab";
import { type RealControllers, startRealControllers } from "../support/real-controllers";
import { Discovery, type Sent } from "../support/real-discovery";
import { GitFolder } from "../support/real-git";
import { addKinds } from "../support/real-kinds";
import { type RealKubernetes, startRealKubernetes } from "../support/real-kubernetes";
import { describeReal } from "../support/real-parts";
import { scheduleTo } from "../support/real-scheduler";
import { keepStatus, ROUTES_READY } from "../support/real-status";
import { skippedByName, testWhere } from "../support/skips";
import { homelabRuns } from "../support/stack-run";

const LIMIT_MS = 15 * 60_000;
const WAIT_MS = 6 * 60_000;
const HOME = "dev";
const APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications";
const MERGE = { contentType: "application/merge-patch+json" };
const APPLY = { contentType: "application/apply-patch+yaml" };
const PARTS = ["etcd", "kube-apiserver", "kube-controller-manager", "argocd", "redis-server", "kwok", "kubectl"] as const;

const runs = homelabRuns();
const plans = planEstate(loadHomelab());
const charts = chartFolder();

const applicationSchema = z.looseObject({
  spec: z.looseObject({ syncPolicy: z.looseObject({ syncOptions: z.array(z.string()), retry: z.looseObject({}) }) }).optional(),
  operation: z.looseObject({}).optional(),
  status: z
    .looseObject({
      sync: z.looseObject({ status: z.string() }).optional(),
      health: z.looseObject({ status: z.string().optional() }).optional(),
      operationState: z.looseObject({ phase: z.string(), message: z.string().optional() }).optional(),
      conditions: z.array(z.looseObject({ type: z.string(), message: z.string() })).optional(),
      resources: z.array(z.looseObject({ kind: z.string(), namespace: z.string().optional(), name: z.string() })).optional(),
    })
    .optional(),
});
const timesSchema = z.looseObject({
  metadata: z.looseObject({ creationTimestamp: z.string(), annotations: z.record(z.string(), z.string()).optional() }),
  status: z
    .looseObject({
      completionTime: z.string().optional(),
      conditions: z.array(z.looseObject({ type: z.string(), lastTransitionTime: z.string().optional() })).nullish(),
    })
    .optional(),
});

// It takes too long for every run of the tests, so it must be asked for.
const ENVIRONMENTS = process.env["HOMELAB_TEST_LIVE_GITOPS"] === "1" ? ["dev", "stg", "prod"] : [];
if (ENVIRONMENTS.length === 0)
  describe("Argo CD itself delivers gitops/", () => skippedByName("every environment", "asked for by HOMELAB_TEST_LIVE_GITOPS=1, as make nightly does"));

for (const environment of ENVIRONMENTS) {
  const plan = plans.get(environment);
  if (plan === undefined) throw new Error(`there is no stack ${environment}`);
  const apps = plan.apps.map(({ name }) => name);
  const byHand = plan.stack.production;
  const rendered = renderApps(plan, plans);
  const textOf = (app: string): string => rendered.get(`${app}/manifests.yaml`) ?? "";
  const inGit = (text: string) => parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
  const desired = apps.flatMap((app) => inGit(textOf(app)));
  const skipped = charts === undefined && desired.some(({ kind }) => kind === "VirtualService");

  describeReal([...PARTS], `Argo CD itself delivers ${environment}`, (pathOf) => {
    const cases = testWhere(!skipped, "shared/charts is not beside the checkout");
    const ends: (() => Promise<void>)[] = [];
    let git: GitFolder;
    let cluster: RealKubernetes;
    let controllers: RealControllers;
    let discovery: Discovery;
    let objects: KubeObject[];
    let direct: Record<string, unknown>;

    const get = async (object: Sent) => cluster.call("GET", await discovery.pathOf(object), undefined, { allowed: [404] });
    const found = async (object: Sent): Promise<KubeObject | undefined> => {
      const answer = (await get(object)) as KubeObject;
      return answer.kind === object.kind ? answer : undefined;
    };
    const contents = async () =>
      Object.fromEntries(
        await Promise.all(
          objects.map(async (object) => {
            const there = await found(object);
            return [keyOf(object), there === undefined ? undefined : content(there)] as const;
          }),
        ),
      );
    async function until<T>(ask: () => Promise<T>, wanted: T): Promise<void> {
      let answer = await ask();
      for (const deadline = Date.now() + WAIT_MS; JSON.stringify(answer) !== JSON.stringify(wanted) && Date.now() < deadline; ) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        answer = await ask();
      }
      expect(answer).toEqual(wanted);
    }
    const application = async (name: string) => applicationSchema.parse(await cluster.call("GET", `${APPLICATIONS}/${name}`, undefined, { allowed: [404] }));
    const stateOf = async (name: string): Promise<readonly unknown[]> => {
      const { status } = await application(name);
      const { phase = "", message = "" } = status?.operationState ?? {};
      const failed = ["", "Succeeded"].includes(phase) ? [] : [`the operation is ${phase}: ${message}`];
      const conditions = status?.conditions?.map(({ type, message: text }) => `${type}: ${text}`) ?? [];
      return [name, status?.sync?.status, status?.health?.status, [...conditions, ...failed]] as const;
    };
    const states = () => Promise.all([...apps.map((app) => `${app}-${environment}`), rootName(environment, HOME)].map(stateOf));
    const allWell = () => [...apps.map((app) => `${app}-${environment}`), rootName(environment, HOME)].map((name) => [name, "Synced", "Healthy", []]);
    /** Asks Argo CD to look at Git now, as a webhook of the Git server does. */
    const refresh = (name: string) =>
      cluster.call("PATCH", `${APPLICATIONS}/${name}`, { metadata: { annotations: { "argocd.argoproj.io/refresh": "hard" } } }, MERGE);
    /**
     * What a person starts in the interface, or by `argocd app sync --prune`. Argo CD's server is not here, so this writes what it writes: the
     * operation with the Application's own options and retries, unless another operation is in progress.
     */
    async function syncByHand(name: string): Promise<void> {
      await until(async () => (await application(name)).operation === undefined, true);
      const { spec } = await application(name);
      const { syncOptions, retry } = spec?.syncPolicy ?? {};
      const operation = { initiatedBy: { username: "admin" }, sync: { revision: "main", prune: true, syncOptions }, retry };
      await cluster.call("PATCH", `${APPLICATIONS}/${name}`, { operation }, MERGE);
    }
    /** Where a person starts each sync: waits until Argo CD reports the difference, and starts it. */
    async function syncIfByHand(name: string): Promise<void> {
      if (!byHand) return;
      await until(async () => (await stateOf(name))[1], "OutOfSync");
      await syncByHand(name);
    }
    /** The objects as the program registers them, as the API then has them. They are deleted again. */
    async function appliedDirectly(): Promise<Record<string, unknown>> {
      for (const object of objects) await cluster.call("PATCH", `${await discovery.pathOf(object)}?fieldManager=pulumi&fieldValidation=Strict`, object, APPLY);
      const result = await contents();
      for (const object of objects) await cluster.call("DELETE", `${await discovery.pathOf(object)}?propagationPolicy=Background`);
      await until(() => contents().then((all) => Object.values(all).filter((one) => one !== undefined)), []);
      return result;
    }

    beforeAll(async () => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-argo-gitops-"));
      ends.push(async () => fs.rmSync(folder, { recursive: true }));
      git = new GitFolder(path.join(folder, "git"));
      const options = { repository: git.url, revision: "main", path: "gitops" };
      const set = manifestsFolder("", "argo-cd", environmentObjects({ environment, apps, server: OWN_CLUSTER, byHand }, options));
      git.commit(Object.fromEntries([...rendered, ...set].map(([file, text]) => [`gitops/${environment}/${file}`, text])));
      cluster = await startRealKubernetes({
        ...{ apiserver: pathOf("kube-apiserver"), etcd: pathOf("etcd"), controllerManager: pathOf("kube-controller-manager"), kwok: pathOf("kwok") },
        // Argo CD waits for the status of a disruption budget, too.
        alsoRuns: ["deployment-controller", "replicaset-controller", "job-controller", "disruption-controller"],
      });
      ends.push(() => cluster.stop());
      if (charts !== undefined) await addKinds(cluster, path.join(charts, "base/1.30.3/crds"));
      discovery = new Discovery(cluster);
      for (const name of apps) await cluster.call("POST", "/api/v1/namespaces", { metadata: { name } });
      objects = deliveredObjects(await runs.registeredBy(environment), new Set(apps));
      direct = await appliedDirectly();
      const scheduler = await scheduleTo(cluster, "played");
      ends.push(() => scheduler.stop());
      const routes = keepStatus(cluster, ROUTES_READY);
      ends.push(() => routes.stop());
      // Argo CD calls the program kustomize, whose library is in kubectl.
      const programs = path.join(folder, "bin");
      fs.mkdirSync(programs);
      const kustomize = ["#!/bin/sh", '[ "$1" = build ] || { echo "kustomize $1 is not here" >&2; exit 1; }', "shift", 'exec "$KUBECTL" kustomize "$@"', ""];
      fs.writeFileSync(path.join(programs, "kustomize"), kustomize.join("\n"), { mode: 0o755 });
      const env = { PATH: `${programs}:${process.env["PATH"]}`, KUBECTL: pathOf("kubectl") };
      controllers = await startRealControllers(cluster, { argocd: { applicationSets: true, env } });
      ends.push(() => controllers.stop());
      for (const object of rootObjects(environment, HOME, options) as Sent[]) {
        await cluster.call("PATCH", `${await discovery.pathOf(object)}?fieldManager=pulumi&fieldValidation=Strict`, object, APPLY);
      }
    }, LIMIT_MS);
    afterAll(async () => {
      const failures: unknown[] = [];
      for (const end of ends.toReversed()) await end().catch((error: unknown) => failures.push(error));
      expect(failures).toEqual([]);
    }, LIMIT_MS);

    cases(
      "the root makes the project and one Application for each application",
      async () => {
        const listSchema = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }) })) });
        const names = async (plural: string) =>
          listSchema
            .parse(await cluster.call("GET", `/apis/argoproj.io/v1alpha1/namespaces/argocd/${plural}`))
            .items.map(({ metadata }) => metadata.name)
            .toSorted();
        const root = rootName(environment, HOME);
        await until(() => names("applications"), [...apps.map((app) => `${app}-${environment}`), root].toSorted());
        expect(await names("applicationsets")).toEqual([environment]);
        expect(await names("appprojects")).toEqual([environment, root, "default"].toSorted());
      },
      LIMIT_MS,
    );

    if (byHand)
      cases(
        "nothing is there until a person syncs",
        async () => {
          const names = apps.map((app) => `${app}-${environment}`);
          await until(
            () => Promise.all(names.map(stateOf)),
            names.map((name) => [name, "OutOfSync", "Missing", []]),
          );
          expect(Object.values(await contents()).filter((one) => one !== undefined)).toEqual([]);
          for (const name of names) await syncByHand(name);
        },
        LIMIT_MS,
      );

    cases(
      "every application is synced and healthy, with the objects of the direct delivery, field by field",
      async () => {
        await until(states, allWell());
        expect(objects.map(keyOf).toSorted()).toEqual(desired.map(keyOf).toSorted());
        expect(await contents()).toEqual(direct);
        const own: string[] = [];
        for (const app of apps) {
          const { status } = await application(`${app}-${environment}`);
          own.push(...(status?.resources ?? []).map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`));
        }
        expect(own.toSorted()).toEqual(desired.map(keyOf).toSorted());
      },
      LIMIT_MS,
    );

    cases(
      "hooks and waves came in their order",
      async () => {
        for (const app of apps) {
          const times = await Promise.all(inGit(textOf(app)).map(async (object) => ({ object, ...timesSchema.parse(await get(object)) })));
          const created = (wanted: (annotation: (name: string) => string | undefined) => boolean) =>
            times
              .filter(({ object }) => wanted((name) => object.metadata.annotations?.[`argocd.argoproj.io/${name}`]))
              .map(({ metadata }) => Date.parse(metadata.creationTimestamp));
          const wave = (number: string) => created((annotation) => annotation("sync-wave") === number);
          const before = times.flatMap(({ object, status }) =>
            object.metadata.annotations?.["argocd.argoproj.io/hook"] === "PreSync" ? [Date.parse(status?.completionTime ?? "")] : [],
          );
          const available = times.flatMap(({ object, status }) =>
            object.kind === "Deployment" ? [Date.parse(status?.conditions?.find(({ type }) => type === "Available")?.lastTransitionTime ?? "")] : [],
          );
          expect([app, wave("0").length > 0, wave("-1").length > 0, available.length > 0]).toEqual([app, true, true, true]);
          // Argo CD pauses two seconds between waves, so timestamps of whole seconds differ.
          for (const end of before) expect(end).toBeLessThanOrEqual(Math.min(...wave("-1")));
          expect(Math.max(...wave("-1"))).toBeLessThan(Math.min(...wave("0")));
          for (const time of wave("1")) {
            expect(time).toBeGreaterThan(Math.max(...wave("0")));
            expect(time).toBeGreaterThanOrEqual(Math.max(...available));
          }
          for (const time of created((annotation) => annotation("hook") === "PostSync")) {
            expect(time).toBeGreaterThanOrEqual(Math.max(...available, ...wave("1")));
          }
        }
      },
      LIMIT_MS,
    );

    const deploymentOf = (app: string) => `/apis/apps/v1/namespaces/${app}/deployments/${app}`;
    const imageOf = async (app: string) => {
      const answer = await cluster.call("GET", deploymentOf(app));
      return z.object({ spec: z.object({ template: z.object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })) }) }) }) }).parse(answer)
        .spec.template.spec.containers[0]?.image;
    };

    cases(
      byHand
        ? "what somebody changes by hand is reported, and as Git has it again once a person syncs"
        : "what somebody changes by hand is as Git has it again",
      async () => {
        const before = await imageOf("writer");
        const change = [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: "example.org/by-hand:1" }];
        await cluster.call("PATCH", deploymentOf("writer"), change, { contentType: "application/json-patch+json" });
        if (byHand) {
          await until(async () => (await stateOf(`writer-${environment}`))[1], "OutOfSync");
          expect(await imageOf("writer")).toBe("example.org/by-hand:1");
        }
        await syncIfByHand(`writer-${environment}`);
        await until(() => imageOf("writer"), before);
        await until(states, allWell());
      },
      LIMIT_MS,
    );

    cases(
      "what a commit removes goes, and comes back with it",
      async () => {
        const file = `gitops/${environment}/writer/manifests.yaml`;
        const last = inGit(textOf("writer")).at(-1);
        if (last === undefined) throw new Error("writer has no objects");
        const less = textOf("writer").split("\n---\n").slice(0, -1).join("\n---\n");
        for (const [text, there] of [
          [less, false],
          [textOf("writer"), true],
        ] as const) {
          git.commit({ [file]: text });
          await refresh(`writer-${environment}`);
          await syncIfByHand(`writer-${environment}`);
          await until(async () => (await found(last)) !== undefined, there);
          await until(states, allWell());
        }
        expect(await contents()).toEqual(direct);
      },
      LIMIT_MS,
    );
  });
}
