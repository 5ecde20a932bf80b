import { checkHandedOver } from "./handed-over";
import type { EngineCommand } from "./pending-creates";

const PREFIX = "urn:pulumi:dev::homelab::";
const APP = "homelab:apps:WebApp";

/** A resource as a state has it, below an application and perhaps a component of it. */
function below(app: string, types: string, name: string, more: object = {}): object[] {
  const parts = types.split("$");
  const own = `${PREFIX}${APP}::${app}`;
  const component = `${PREFIX}${APP}$${parts[0]}::${name}-part`;
  const between = parts.length > 1 ? [{ urn: component, parent: own }] : [];
  return [{ urn: own }, ...between, { urn: `${PREFIX}${APP}$${types}::${name}`, parent: parts.length > 1 ? component : own, ...more }];
}

const engine = (...resources: object[]) => {
  const asked: string[][] = [];
  const run: EngineCommand = (args) => {
    asked.push([...args]);
    return Promise.resolve(JSON.stringify({ version: 3, deployment: { resources } }));
  };
  return { run, asked };
};
const check = (deliveredByArgoCd: string[], ...resources: object[]) => checkHandedOver(engine(...resources).run, { stack: "dev", deliveredByArgoCd });

const DEPLOYMENT = "kubernetes:apps/v1:Deployment";

test.each([
  ["a Deployment", DEPLOYMENT, {}],
  ["a Service", "kubernetes:core/v1:Service", { retainOnDelete: false }],
  ["an Ingress", "homelab:base:WebIngress$kubernetes:networking.k8s.io/v1:Ingress", {}],
  ["a VirtualService", "homelab:base:IstioVirtualService$kubernetes:networking.istio.io/v1:VirtualService", {}],
])("%s that the program would delete is refused, by its application, with the way to go", async (_, types, more) => {
  await expect(check(["shop", "writer"], ...below("writer", types, "writer-x", more))).rejects.toMatchObject({
    code: "E_HAND_OVER",
    subject: "dev",
    message: expect.stringMatching(/^dev: Argo CD is to deliver writer, and the program would delete its running objects$/),
    hint: expect.stringContaining('set `delivery: "hand-over"` and run `homelab up dev`'),
  });
});

test("objects that are kept, were replaced, stay the program's, or are another application's do not prevent it", async () => {
  await check(["writer"], ...below("writer", DEPLOYMENT, "writer-deployment", { retainOnDelete: true }));
  await check(["writer"], ...below("writer", "kubernetes:core/v1:ConfigMap", "writer-config", { delete: true }));
  await check(["writer"], ...below("writer", "homelab:base:Namespace$kubernetes:core/v1:Namespace", "writer-ns-namespace"));
  await check(["writer"], ...below("writer", "homelab:platform:SecretAccess$kubernetes:core/v1:ServiceAccount", "writer-secrets-reader"));
  await check(["writer"], ...below("writer", "kubernetes:rbac.authorization.k8s.io/v1:Role", "writer-delivery"));
  await check(["writer"], ...below("writer-two", DEPLOYMENT, "writer-two-deployment"));
});

test("a state is read only where Argo CD delivers an application", async () => {
  const { run, asked } = engine();
  await checkHandedOver(run, { stack: "dev", deliveredByArgoCd: [] });
  expect(asked).toEqual([]);
});
