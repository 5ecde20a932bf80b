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
  const kubeconfig = "kind: Config";
  const back = (has: readonly string[], ...resources: object[]) => {
    const commands: string[] = [];
    const run: EngineCommand = (args) => {
      commands.push(args.join(" "));
      return Promise.resolve(args.includes("output") ? `${kubeconfig}\n` : JSON.stringify({ version: 3, deployment: { resources } }));
    };
    const ask: AskArgoCd = (given, names) => Promise.resolve(given === kubeconfig ? names.filter((name) => has.includes(name)) : []);
    const besideArgoCd = { argoCdOf: "dev", apps: ["writer", "shop"] };
    return { done: checkOwners(run, { stack: "stg", besideArgoCd }, ask), commands };
  };

  test("an application that Argo CD still delivers is refused, by the name of its Application, with the way to go", async () => {
    const { done, commands } = back(["writer-stg"], ...below("shop", DEPLOYMENT, "shop-deployment"));
    await expect(done).rejects.toMatchObject({
      code: "E_HAND_OVER",
      subject: "stg",
      message: "stg: the program is to deliver writer, and Argo CD still does, by writer-stg",
      hint: expect.stringContaining("run `homelab render stg`, commit and push"),
    });
    expect(commands.at(-1)).toBe("stack output kubeconfig --show-secrets --stack dev");
  });

  test("an application that Argo CD has given up is the program's; nothing is asked about those that the program has already", async () => {
    await back(["writer-dev"]).done;
    const own = back(["writer-stg"], ...below("writer", DEPLOYMENT, "a"), ...below("shop", DEPLOYMENT, "b", { retainOnDelete: true }));
    await own.done;
    expect(own.commands.filter((command) => command.includes("output"))).toEqual([]);
  });

  test("where the stack of Argo CD is not built there is nothing to ask", async () => {
    const run: EngineCommand = (args) => (args.includes("output") ? Promise.reject(new Error("no stack named dev")) : Promise.resolve('{"version":3}'));
    const ask: AskArgoCd = () => Promise.reject(new Error("asked"));
    await checkOwners(run, { stack: "stg", besideArgoCd: { argoCdOf: "dev", apps: ["writer"] } }, ask);
  });
});
