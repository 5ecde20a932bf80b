/** Checks the Istio routes that `homelab render` writes against the definition of their kind. tests/real/gitops.real.test.ts checks them with kubectl. */
import { parseAllDocuments } from "yaml";
import { planEstate } from "../../stacks/plan/plan";
import { renderApps } from "../../stacks/plan/rendered-apps";
import { kindSchema, objectComplaints } from "../support/crd-schema";
import { loadHomelab, useHomelabSecrets } from "../support/homelab";

useHomelabSecrets();

test("the routes of dev satisfy the definition of a VirtualService, and have the backend's timeout and retries", () => {
  const plans = planEstate(loadHomelab());
  const dev = plans.get("dev");
  if (dev === undefined) throw new Error("there is no stack dev");
  const routes = [...renderApps(dev, plans)]
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
