/**
 * kubectl applies what `homelab render` writes as a Kustomization. The lab's API accepts it under strict validation, and every application
 * becomes ready.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { parseAllDocuments } from "yaml";
import { secretDataOf, secretNameOf } from "../../components/apps/app-spec";
import { ISTIO_CHARTS } from "../../components/platform/istio/values";
import { planEstate } from "../../stacks/plan/plan";
import { renderApps } from "../../stacks/plan/rendered-apps";
import { loadHomelab, useHomelabSecrets } from "../support/homelab";
import { KubectlWorld } from "../support/kubectl";
import { describeReal } from "../support/real-parts";

useHomelabSecrets();
const plans = planEstate(loadHomelab());

describeReal(["kubectl"], "kubectl and gitops/", (pathOf) => {
  let kubectl: KubectlWorld;
  beforeEach(async () => {
    kubectl = await KubectlWorld.start(pathOf("kubectl"));
  });
  afterEach(() => kubectl.stop());

  /** Installs the definitions of Istio, which has the kinds of the routes. */
  async function addIstio(): Promise<void> {
    const { repository, name: chart, version } = ISTIO_CHARTS["istio-base"];
    const { crds, manifests } = await kubectl.world.render({ repository, chart, version, namespace: "istio-system" });
    for (const object of [...crds, ...manifests]) if (object.kind === "CustomResourceDefinition") kubectl.dev.create(object);
  }

  test.each(["dev", "stg", "prod"])(
    "every object of %s is accepted under strict validation, and every application becomes ready",
    async (environment) => {
      const plan = plans.get(environment);
      if (plan === undefined) throw new Error(`there is no stack ${environment}`);
      const { apps } = plan;
      const folder = kubectl.file(environment);
      const files = [...renderApps(plan, plans)];
      for (const [name, text] of files) {
        fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
        fs.writeFileSync(path.join(folder, name), text);
      }
      await addIstio();
      for (const { name, spec } of apps) {
        await kubectl.dev.namespace(name);
        const keys = Object.keys(secretDataOf(spec));
        if (keys.length > 0)
          kubectl.dev.create({
            ...{ apiVersion: "v1", kind: "Secret", metadata: { name: secretNameOf(spec), namespace: name } },
            data: Object.fromEntries(keys.map((key) => [key, Buffer.from("x").toString("base64")])),
          });
      }
      const count = files.flatMap(([name, text]) => (name.endsWith("/manifests.yaml") ? parseAllDocuments(text) : [])).length;
      expect(count).toBeGreaterThan(4 * apps.length);
      const built = await kubectl.run("kustomize", folder);
      expect([built.code, built.err, built.out.match(/^kind: /gm)?.length]).toEqual([0, "", count]);
      const dry = await kubectl.run("apply", "--dry-run=server", "--validate=strict", "-k", folder);
      expect([dry.code, dry.err, dry.out.trim().split("\n").length]).toEqual([0, "", count]);
      expect((await kubectl.run("apply", "--server-side", "-k", folder)).code).toBe(0);
      await kubectl.world.settled();
      const ready = kubectl.dev
        .all("apps/v1", "Deployment")
        .map(({ metadata, status }) => [metadata.name, (status as { readyReplicas?: number }).readyReplicas]);
      expect(ready.toSorted()).toEqual(apps.map(({ name, spec }) => [name, spec.replicas ?? 1]).toSorted());
      // A second time there is no difference.
      const again = await kubectl.run("diff", "--server-side", "-k", folder);
      expect([again.code, again.out]).toEqual([0, ""]);
    },
    120_000,
  );
});
