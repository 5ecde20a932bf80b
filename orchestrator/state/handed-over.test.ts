import { type AskArgoCd, checkOwners } from "./handed-over";
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
const check = (deliveredByArgoCd: string[], ...resources: object[]) => checkOwners(engine(...resources).run, { stack: "dev", deliveredByArgoCd });

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
  await checkOwners(run, { stack: "dev", deliveredByArgoCd: [] });
  expect(asked).toEqual([]);
});

describe("on the way back", () => {
  const has = (...found: { app: string; application: string }[]) => {
    const asked: Parameters<AskArgoCd>[0][] = [];
    const ask: AskArgoCd = (question) => {
      asked.push(question);
      return Promise.resolve(found);
    };
    return { ask, asked };
  };
  const outputs: EngineCommand = (args) => Promise.resolve(args.includes("output") ? `kubeconfig of ${args.at(-1)}\n` : '{"version":3}');
  const besideArgoCd = { argoCdOf: "dev", apps: ["writer", "shop"] };

  test("an application that Argo CD still delivers is refused, by the name of its Application, with the way to go", async () => {
    const { ask, asked } = has({ app: "writer", application: "writer-stg" });
    await expect(checkOwners(outputs, { stack: "stg", besideArgoCd }, ask)).rejects.toMatchObject({
      code: "E_HAND_OVER",
      subject: "stg",
      message: "stg: the program is to deliver writer, and Argo CD still does, by writer-stg",
      hint: expect.stringContaining("run `homelab render stg`, commit and push"),
    });
    expect(asked).toEqual([{ argoCd: "kubeconfig of dev", cluster: "kubeconfig of stg", stack: "stg", apps: ["writer", "shop"] }]);
  });

  test("an Application that somebody made under another name is named, with the way to remove it without its objects", async () => {
    const { ask } = has({ app: "writer", application: "writer-dev" }, { app: "writer", application: "mine" });
    await expect(checkOwners(outputs, { stack: "dev", besideArgoCd }, ask)).rejects.toMatchObject({
      message: "dev: the program is to deliver writer, and Argo CD still does, by writer-dev, mine",
      hint: "somebody made mine: remove it without its objects, `argocd app delete mine --cascade=false` (docs/applications.md)",
    });
  });

  test("where Argo CD has none of them, and where all are Argo CD's, nothing is refused", async () => {
    await checkOwners(outputs, { stack: "stg", besideArgoCd }, has().ask);
    const { ask, asked } = has({ app: "writer", application: "writer-stg" });
    await checkOwners(outputs, { stack: "stg", besideArgoCd: { argoCdOf: "dev", apps: [] } }, ask);
    expect(asked).toEqual([]);
  });

  test("where the stack of Argo CD is not built there is nothing to ask; where its own is not, it has no cluster to look at", async () => {
    const built =
      (stack: string): EngineCommand =>
      (args) =>
        args.at(-1) === stack ? Promise.resolve("config") : Promise.reject(new Error("no such stack"));
    const { ask, asked } = has();
    await checkOwners(built("none"), { stack: "stg", besideArgoCd }, ask);
    expect(asked).toEqual([]);
    await checkOwners(built("dev"), { stack: "stg", besideArgoCd }, ask);
    expect(asked).toEqual([{ argoCd: "config", cluster: undefined, stack: "stg", apps: ["writer", "shop"] }]);
  });
});
