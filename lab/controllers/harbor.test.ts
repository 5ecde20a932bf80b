/** Harbor as its chart sets it up, run in the lab: its API answers behind its proxy and knows the admin's password, and its data outlives its pods. */
import { setUpHarbor } from "../../components/platform/harbor/set-up";
import { CREDENTIALS_SECRET, harborValues } from "../../components/platform/harbor/values";
import { inLabWorld, type LabWorld, type WorldCluster } from "../../tests/support/lab-world";
import type { KubeObject } from "../kubernetes";

const HOST = "registry.example.org";
const NAMESPACE = "harbor";

let world: LabWorld;
let dev: WorldCluster;
inLabWorld((made) => {
  ({ world, dev } = made);
});

const create = (object: object): void => {
  dev.create(object as KubeObject);
};
const secret = (name: string, values: Record<string, string>): void =>
  create({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: NAMESPACE },
    data: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")])),
  });

test("projects and accounts are made through its route, and still exist after its pods were replaced", async () => {
  await dev.namespace(NAMESPACE);
  const keys = ["secretKey", "secret", "CSRF_KEY", "JOBSERVICE_SECRET", "REGISTRY_HTTP_SECRET", "REGISTRY_PASSWD", "REGISTRY_HTPASSWD"];
  secret(CREDENTIALS_SECRET, { HARBOR_ADMIN_PASSWORD: "of admin", ...Object.fromEntries(keys.map((key) => [key, "x"])) });
  secret("harbor-database-login", { password: "x" });
  secret("harbor-valkey-login", { REDIS_PASSWORD: "x" });
  secret("harbor-token", { "tls.crt": "x", "tls.key": "x" });
  const values = harborValues({ host: HOST, storageClass: "local-path", size: "1Gi", scan: true, database: "registry", credentialMark: "1" });
  const { manifests } = await world.render({ repository: "https://helm.goharbor.io", chart: "harbor", version: "1.19.1", namespace: NAMESPACE, values });
  for (const object of manifests) create(object);
  await world.settled();
  const backend = { service: { name: "harbor", port: { number: 80 } } };
  const rules = [{ host: HOST, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }];
  create({ apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { name: "harbor", namespace: NAMESPACE }, spec: { rules } });
  await world.settled();
  const setUp = () => {
    const found = dev.controllers.routes.map((routes) => routes.find(HOST, "/")).find((destination) => destination?.kind === "program");
    const address = `http://127.0.0.1:${found?.kind === "program" ? found.port : 0}`;
    const robots = [{ name: "pipelines", projects: { shop: "push" }, secret: "Abcdefg1" }];
    return setUpHarbor(JSON.stringify({ address, password: "of admin", projects: [{ name: "shop", public: false }], robots }), world.ctx.clock);
  };
  expect(await setUp()).toEqual(["the project shop", "the account pipelines", "the secret of the account pipelines"]);
  for (const pod of dev.all("v1", "Pod", NAMESPACE)) dev.remove("v1", "Pod", NAMESPACE, pod.metadata.name);
  await world.settled();
  expect(await setUp()).toEqual(["the secret of the account pipelines"]);
});
