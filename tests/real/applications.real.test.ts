/**
 * A real Kubernetes API accepts the objects of the applications under strict validation: what `homelab render` writes for each application
 * in each environment, Argo CD's objects for it, and the objects of sessions. The kinds of Argo CD, Istio, KubeVirt, CDI and External
 * Secrets come from the charts beside the checkout.
 */
import * as path from "node:path";
import { parseAllDocuments } from "yaml";
import { goldenImageManifests } from "../../components/apps/sessions/golden-image";
import { reaperManifests, sessionManifests } from "../../components/apps/sessions/session-manifests";
import { environmentObjects, OWN_CLUSTER, rootObjects } from "../../components/platform/argo-cd/applications";
import { planEstate } from "../../stacks/plan/plan";
import { renderApps } from "../../stacks/plan/rendered-apps";
import { chartFolder } from "../support/chart-data";
import { loadHomelab, useHomelabSecrets } from "../support/homelab";
import { Discovery, type Sent } from "../support/real-discovery";
import { addKinds } from "../support/real-kinds";
import { type RealKubernetes, startRealKubernetes } from "../support/real-kubernetes";
import { describeReal } from "../support/real-parts";
import { GOLDEN, SESSION } from "../support/session-options";
import { testWhere } from "../support/skips";

useHomelabSecrets();
const plans = planEstate(loadHomelab());
const ENVIRONMENTS = ["dev", "stg", "prod"] as const;
const CASES = ENVIRONMENTS.flatMap((environment) => (plans.get(environment)?.apps ?? []).map(({ name }) => [environment, name] as const));
const SEVEN = ["ascii-frontend", "cks-backend", "cks-frontend", "enqueuer", "memorizer", "realstate-scrapper", "writer"];

const CHARTS = ["argo-cd/10.1.1", "base/1.30.3", "kubevirt/v1.9.0", "cdi/v1.66.0", "external-secrets/2.9.0"];
const charts = chartFolder();

/** The objects in the rendered folder of an application. */
function renderedObjects(environment: string, app: string): Sent[] {
  const plan = plans.get(environment);
  if (plan === undefined) throw new Error(`there is no stack ${environment}`);
  const text = renderApps(plan, plans).get(`${app}/manifests.yaml`);
  if (text === undefined) throw new Error(`${environment} has no manifests of ${app}`);
  return parseAllDocuments(text).map((document) => document.toJS() as Sent);
}

test("there are seven applications in each of three environments", () => {
  for (const environment of ENVIRONMENTS) {
    const apps = CASES.filter(([one]) => one === environment).map(([, name]) => name);
    expect(apps.filter((name) => SEVEN.includes(name)).toSorted()).toEqual(SEVEN);
  }
});

interface Stored {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string };
}

describeReal(["kube-apiserver", "etcd"], "a real API, under strict validation", (pathOf) => {
  let cluster: RealKubernetes;
  let discovery: Discovery;
  beforeAll(async () => {
    cluster = await startRealKubernetes({ apiserver: pathOf("kube-apiserver"), etcd: pathOf("etcd") });
    for (const chart of charts === undefined ? [] : CHARTS) await addKinds(cluster, path.join(charts ?? "", chart, "crds"));
    discovery = new Discovery(cluster);
  }, 180_000);
  afterAll(() => cluster.stop());

  const send = async (object: Sent): Promise<Stored> => {
    const url = `${await discovery.pathOf(object)}?fieldManager=homelab&fieldValidation=Strict`;
    return (await cluster.call("PATCH", url, object, { contentType: "application/apply-patch+yaml" })) as Stored;
  };

  const space = (name: string): Sent => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });

  /** Applies each object twice, the second time without a change, and deletes them: other environments have objects of the same names. */
  async function accepted(objects: readonly Sent[]): Promise<void> {
    const namespaces = new Set(objects.flatMap(({ metadata: { namespace } }) => namespace ?? []));
    for (const { kind, metadata } of objects) if (kind === "Namespace") namespaces.delete(metadata.name);
    for (const name of namespaces) await send(space(name));
    const stored: Stored[] = [];
    for (const object of objects) stored.push(await send(object));
    const again: Stored[] = [];
    for (const object of objects) again.push(await send(object));
    const versions = (all: readonly Stored[]) => all.map(({ metadata }, index) => [objects[index]?.kind, metadata.uid, metadata.resourceVersion]);
    expect(versions(again)).toEqual(versions(stored));
    for (const object of objects) await cluster.call("DELETE", `${await discovery.pathOf(object)}?propagationPolicy=Background`);
  }

  const ISTIO = "networking.istio.io/v1";
  const needsCharts = testWhere(charts !== undefined, "shared/charts is not beside the checkout");

  for (const [environment, app] of CASES) {
    const objects = renderedObjects(environment, app);
    const own = objects.some(({ apiVersion }) => apiVersion === ISTIO) ? needsCharts : test;
    own(`${environment}: every object of ${app} is accepted, and the second time nothing changes`, () => accepted(objects));
  }

  needsCharts("the root, the project and the ApplicationSet of an environment are accepted", async () => {
    const options = { repository: "https://git.example.org/homelab.git", revision: "main", path: "gitops" };
    await accepted(rootObjects("dev", "dev", options) as Sent[]);
    for (const byHand of [false, true]) {
      const objects = environmentObjects({ environment: "dev", apps: SEVEN, server: OWN_CLUSTER, byHand }, options) as Sent[];
      expect(objects.map(({ kind }) => kind).toSorted()).toEqual(["AppProject", "ApplicationSet"]);
      await accepted(objects);
    }
  });

  needsCharts("every object of a session, of the reaper and of the golden image is accepted, and what its Job applies", async () => {
    const golden = goldenImageManifests(GOLDEN) as (Sent & { data?: Record<string, string> })[];
    const steps = Object.values(golden.find(({ kind }) => kind === "ConfigMap")?.data ?? {});
    const applied = steps.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as Sent));
    expect(new Set(applied.map(({ kind }) => kind))).toEqual(new Set(["DataVolume", "Secret", "VirtualMachineInstance"]));
    await accepted(sessionManifests(SESSION, { running: 0, limit: 1 }) as Sent[]);
    await accepted(reaperManifests("cks") as Sent[]);
    await accepted(golden);
    await accepted(applied);
  });

  test("a field that no kind has is refused", async () => {
    const [, app] = CASES[0] ?? ["", ""];
    const deployment = renderedObjects("stg", app).find(({ kind }) => kind === "Deployment") as Sent & { spec: object };
    await send(space(app));
    await expect(send({ ...deployment, spec: { ...deployment.spec, replica: 2 } } as Sent)).rejects.toThrow(/unknown field|field not declared/);
  });
});
