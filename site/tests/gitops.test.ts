/** What is committed below gitops/ is what `homelab render` would write: the manifests of every application in every environment. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parseAllDocuments } from "yaml";
import { goldenImageManifests } from "../../components/apps/sessions/golden-image";
import { objectViolations } from "../../components/rules/rules";
import { loadEstate } from "../../stacks/load/estate";
import { planEstate } from "../../stacks/plan/plan";
import { renderApps } from "../../stacks/plan/rendered-apps";
import { renderArgoCd } from "../../stacks/plan/rendered-argo-cd";
import { GOLDEN } from "../../tests/support/session-options";

const GITOPS = path.join(__dirname, "..", "..", "gitops");
const ENVIRONMENTS = fs.readdirSync(GITOPS, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
const plans = planEstate(loadEstate());

/** By path from the environment's folder. */
function committed(environment: string): Record<string, string> {
  const folder = path.join(GITOPS, environment);
  const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [
      path.relative(folder, path.join(parentPath, name)).replaceAll(path.sep, "/"),
      fs.readFileSync(path.join(parentPath, name), "utf8"),
    ]),
  );
}

function rendered(environment: string): Map<string, string> {
  const plan = plans.get(environment);
  if (plan === undefined) throw new Error(`there is no stack ${environment}`);
  return new Map([...renderApps(plan, plans), ...renderArgoCd(plan, plans)]);
}

test.each(ENVIRONMENTS)("gitops/%s is current; homelab render %s brings it there", (environment) => {
  expect(committed(environment)).toEqual(Object.fromEntries(rendered(environment)));
});

const objects = (environment: string) =>
  [...rendered(environment)].flatMap(([file, text]) =>
    file.endsWith("manifests.yaml")
      ? parseAllDocuments(text).map((document) => document.toJSON() as { kind: string; metadata: { name: string; namespace: string } })
      : [],
  );

test.each(ENVIRONMENTS)(
  "%s: no object breaks a rule for all workloads, none is there twice, and each is in the namespace of its application",
  (environment) => {
    const all = objects(environment);
    expect(all.flatMap((object) => objectViolations(object as never))).toEqual([]);
    const names = all.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
    expect(names.filter((name, index) => names.indexOf(name) < index)).toEqual([]);
    const apps = plans.get(environment)?.apps.map(({ name }) => name) ?? [];
    expect([...new Set(all.map(({ metadata }) => metadata.namespace))].toSorted()).toEqual(apps.toSorted());
  },
);

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly data?: Readonly<Record<string, string>>;
}

test.each(ENVIRONMENTS)("%s: what cks-backend clones is what the Job of the golden image publishes for its version of Kubernetes", (environment) => {
  const text = committed(environment)["cks-backend/manifests.yaml"] ?? "";
  const config =
    parseAllDocuments(text)
      .map((document) => document.toJSON() as Manifest)
      .find(({ kind }) => kind === "ConfigMap")?.data ?? {};
  const { KUBERNETES_VERSION = "", GOLDEN_IMAGE_NAME, GOLDEN_IMAGE_NAMESPACE = "" } = config;
  const job = goldenImageManifests({ ...GOLDEN, kubernetesVersion: KUBERNETES_VERSION, namespace: GOLDEN_IMAGE_NAMESPACE }) as Manifest[];
  const published = parseAllDocuments(job.find(({ kind }) => kind === "ConfigMap")?.data?.["publish.yaml"] ?? "").map(
    (document) => document.toJSON() as Manifest,
  );
  expect(published.map(({ kind, metadata: { name, namespace } }) => ({ kind, name, namespace }))).toEqual([
    { kind: "DataVolume", name: GOLDEN_IMAGE_NAME, namespace: GOLDEN_IMAGE_NAMESPACE },
  ]);
});
