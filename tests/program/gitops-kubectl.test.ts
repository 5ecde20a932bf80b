/**
 * What `homelab render` writes, read by the kubectl of this machine: as a Kustomization, by the lab's API under strict validation, and
 * until every application is ready there.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { parseAllDocuments } from "yaml";
import { secretDataOf, secretNameOf } from "../../components/apps/app-spec";
import { planEstate } from "../../stacks/plan/plan";
import { renderApps } from "../../stacks/plan/rendered-apps";
import { kindSchema, objectComplaints } from "../support/crd-schema";
import { loadHomelab, useHomelabSecrets } from "../support/homelab";
import { KubectlWorld } from "../support/kubectl";

useHomelabSecrets();
const plans = planEstate(loadHomelab());
const planOf = (environment: string) => {
  const plan = plans.get(environment);
  if (plan === undefined) throw new Error(`there is no stack ${environment}`);
  return plan;
};
const found = ["/usr/local/bin", "/usr/bin", "/opt/homebrew/bin"].map((folder) => path.join(folder, "kubectl")).find((file) => fs.existsSync(file));

(found === undefined ? describe.skip : describe)(found ?? "no kubectl on this machine", () => {
  let kubectl: KubectlWorld;
  beforeAll(async () => {
    kubectl = await KubectlWorld.start(found ?? "");
  });
  afterAll(() => kubectl.stop());

  test("every object of stg is accepted under strict validation, and every application becomes ready", async () => {
    const { apps } = planOf("stg");
    const folder = kubectl.file("stg");
    for (const [name, text] of renderApps(planOf("stg"), plans)) {
      fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      fs.writeFileSync(path.join(folder, name), text);
    }
    for (const { name, spec } of apps) {
      await kubectl.dev.namespace(name);
      const keys = Object.keys(secretDataOf(spec));
      if (keys.length > 0)
        kubectl.dev.create({
          ...{ apiVersion: "v1", kind: "Secret", metadata: { name: secretNameOf(spec), namespace: name } },
          data: Object.fromEntries(keys.map((key) => [key, Buffer.from("x").toString("base64")])),
        });
    }
    const built = await kubectl.run("kustomize", folder);
    const count = built.out.match(/^kind: /gm)?.length ?? 0;
    expect([built.code, built.err, count]).toEqual([0, "", 34]);
    const dry = await kubectl.run("apply", "--dry-run=server", "--validate=strict", "-k", folder);
    expect([dry.code, dry.err, dry.out.trim().split("\n").length]).toEqual([0, "", count]);
    expect((await kubectl.run("apply", "--server-side", "-k", folder)).code).toBe(0);
    await kubectl.world.settled();
    const ready = kubectl.dev.all("apps/v1", "Deployment").map(({ metadata, status }) => [metadata.name, (status as { readyReplicas?: number }).readyReplicas]);
    expect(ready.toSorted()).toEqual(apps.map(({ name, spec }) => [name, spec.replicas ?? 1]).toSorted());
    // The second time there is nothing to do.
    const again = await kubectl.run("diff", "--server-side", "-k", folder);
    expect([again.code, again.out]).toEqual([0, ""]);
  }, 120_000);
});

test("the routes of dev satisfy the definition of a VirtualService, and have the backend's timeout and retries", () => {
  const routes = [...renderApps(planOf("dev"), plans)]
    .flatMap(([, text]) =>
      parseAllDocuments(text).map(
        (document) => document.toJSON() as { apiVersion: string; kind: string; metadata: { name: string }; spec: { http: object[] } },
      ),
    )
    .filter(({ kind }) => kind === "VirtualService");
  expect(routes.map(({ metadata }) => metadata.name).toSorted()).toEqual(
    ["ascii-frontend", "cks-backend", "cks-frontend", "demo-web", "enqueuer", "memorizer", "realstate-scrapper", "writer"].map((name) => `${name}-http`),
  );
  const schema = kindSchema("networking.istio.io/v1", "VirtualService")?.schema;
  for (const route of routes) if (schema !== undefined) expect(objectComplaints(route as never, schema)).toEqual([]);
  expect(routes.find(({ metadata }) => metadata.name === "cks-backend-http")?.spec.http).toEqual([
    expect.objectContaining({ timeout: "30s", retries: expect.objectContaining({ attempts: 3 }) }),
  ]);
});
