import { builtModule, PLACE } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { objectViolations } from "../../rules/rules";
import { registry } from "./module";

test("users come from Vault before it starts, images lie in a claim that stays, and its name leads to it", async () => {
  const registered = await builtModule(registry);
  const deployment = only(registered, "kubernetes:apps/v1:Deployment");
  const { spec } = plain(deployment.inputs) as {
    spec: { template: { spec: { volumes: object[]; containers: { image: string; env: object[]; volumeMounts: object[] }[] } } };
  };
  const [container] = spec.template.spec.containers;
  expect(container).toMatchObject({
    image: "docker.io/library/registry:3.1.1",
    env: expect.arrayContaining([
      { name: "REGISTRY_AUTH", value: "htpasswd" },
      { name: "REGISTRY_AUTH_HTPASSWD_PATH", value: "/auth/htpasswd" },
      { name: "REGISTRY_STORAGE_DELETE_ENABLED", value: "true" },
    ]),
  });
  expect(spec.template.spec.volumes).toEqual([
    { name: "images", persistentVolumeClaim: { claimName: "registry" } },
    { name: "users", secret: { secretName: "registry-users" } },
  ]);
  expect(deployment.dependencies.join()).toContain("registry-secrets");
  expect(plain(only(registered, "kubernetes:networking.k8s.io/v1:Ingress").inputs)).toMatchObject({
    spec: { rules: [{ host: "registry.example.org", http: { paths: [{ backend: { service: { port: { number: 5000 } } } }] } }] },
  });
  expect(objectViolations({ apiVersion: "apps/v1", kind: "Deployment", ...(plain(deployment.inputs) as object) })).toEqual([]);
});

test("it reads its users from where the options say, and may not be asked without a user", () => {
  const parts = registry.parts(registry.options.parse({ path: "store/A", key: "one", size: "50Gi" }), PLACE);
  expect(parts.namespaceSecrets).toEqual([
    { namespace: "registry", wanted: [{ name: "registry-users", data: { htpasswd: { path: "store/A", key: "one" } } }] },
  ]);
  expect(parts.volumes).toEqual([{ name: "images", size: "50Gi" }]);
  expect(parts.flows).toEqual([{ direction: "in", peer: "routes", port: 5000, why: "images in and out" }]);
});
