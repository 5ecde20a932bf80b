/**
 * A real Kubernetes API accepts what the stacks' programs register under strict validation, field by field and by the rules of the
 * definitions: namespaces, quotas, policies, accounts, routes, and every custom resource. The definitions come from the charts beside the
 * checkout. Nothing is stored but namespaces: each object is a dry run of a server-side apply.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { planEstate } from "../../stacks/plan/plan";
import { chartFolder } from "../support/chart-data";
import { loadHomelab, useHomelabSecrets } from "../support/homelab";
import { plain, type Registered } from "../support/pulumi-mocks";
import { Discovery, type Sent } from "../support/real-discovery";
import { addKinds } from "../support/real-kinds";
import { type RealKubernetes, startRealKubernetes } from "../support/real-kubernetes";
import { describeReal } from "../support/real-parts";
import { describeWhere } from "../support/skips";
import { ownRuns } from "../support/stack-run";

useHomelabSecrets();
const { names: STACK_NAMES, registeredBy } = ownRuns();
const charts = chartFolder();
/** Software that comes as published manifests, beside that of the modules' charts. */
const MANIFESTS = ["kubevirt", "cdi", "snapshot-controller"];

/** Folders with the definitions of every chart that a stack has, of the version that it has. */
function definitionFolders(root: string): string[] {
  const pins = [...planEstate(loadHomelab()).values()].flatMap(({ platform }) => platform.modules.flatMap(({ charts: own }) => Object.values(own)));
  const published = MANIFESTS.flatMap((name) => fs.readdirSync(path.join(root, name)).map((version) => `${name}/${version}`));
  const folders = new Set([...pins.map(({ name, version }) => `${name.split("/").at(-1)}/${version}`), ...published]);
  return [...folders].map((folder) => path.join(root, folder, "crds")).filter((folder) => fs.existsSync(folder));
}

/** An object of the API that a program registers, as it is sent. */
function sentOf({ type, inputs }: Registered): Sent[] {
  if (!type.startsWith("kubernetes:") || type.startsWith("kubernetes:helm.sh/")) return [];
  return [JSON.parse(JSON.stringify(plain(inputs))) as Sent];
}

const describeWithCharts = describeWhere(charts !== undefined, "shared/charts is not beside the checkout");

describeReal(["kube-apiserver", "etcd"], "a real API, under strict validation", (pathOf) => {
  describeWithCharts("what a program registers", () => {
    let cluster: RealKubernetes;
    let discovery: Discovery;
    beforeAll(async () => {
      cluster = await startRealKubernetes({ apiserver: pathOf("kube-apiserver"), etcd: pathOf("etcd") });
      for (const folder of definitionFolders(charts ?? "")) await addKinds(cluster, folder);
      discovery = new Discovery(cluster);
    }, 300_000);
    afterAll(() => cluster.stop());

    const apply = async (object: Sent, dry: boolean): Promise<string[]> => {
      const url = `${await discovery.pathOf(object)}?fieldManager=homelab&force=true&fieldValidation=Strict${dry ? "&dryRun=All" : ""}`;
      return cluster.call("PATCH", url, object, { contentType: "application/apply-patch+yaml" }).then(
        () => [],
        (error: Error) => [`${object.kind} ${object.metadata.namespace ?? ""}/${object.metadata.name}: ${error.message}`],
      );
    };

    test.each(STACK_NAMES)("of %s is accepted", async (stack) => {
      const objects = (await registeredBy(stack)).flatMap(sentOf);
      const isNamespace = ({ kind }: Sent): boolean => kind === "Namespace";
      for (const object of objects.filter(isNamespace)) expect(await apply(object, false)).toEqual([]);
      const refused = await Promise.all(objects.filter((object) => !isNamespace(object)).map((object) => apply(object, true)));
      expect(refused.flat()).toEqual([]);
      expect(objects.length).toBeGreaterThan(20);
    });

    test("a field that a kind does not have, and a value that a rule of its definition refuses, are not", async () => {
      const issuer = { apiVersion: "cert-manager.io/v1", kind: "ClusterIssuer", metadata: { name: "x" }, spec: { selfSigned: {}, nothing: 1 } };
      expect(await apply(issuer, true)).toEqual([expect.stringContaining("spec.nothing")]);
      const spec = { name: "postgres", owner: "x", cluster: { name: "x" } };
      const database = { apiVersion: "postgresql.cnpg.io/v1", kind: "Database", metadata: { name: "x", namespace: "default" }, spec };
      expect(await apply(database, true)).toEqual([expect.stringContaining("spec.name: Invalid value")]);
    });
  });
});
