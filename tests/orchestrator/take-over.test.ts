/** A stack whose state is lost, while its resources exist: with the worker and the engine as processes, and the lab's Vault. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { createRedactor } from "../../common/redact";
import { createContext, type OwnedContext } from "../../lab/core/context";
import { startVault } from "../../lab/vault";
import { StackProcesses } from "../../orchestrator/worker/stack-process";
import type { WorkerMessage, WorkerResult } from "../../orchestrator/worker/worker-protocol";

// A dozen processes start one after the other, which takes long on a busy machine.
jest.setTimeout(600_000);

const ROOT = path.join(__dirname, "../..");

let folder: string;
let ctx: OwnedContext;
let server: Awaited<ReturnType<typeof startVault>>;
let root = "";

async function vault(method: string, route: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${server.port}/v1/${route}`, {
    method,
    headers: root === "" ? {} : { "x-vault-token": root },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${text}`);
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-take-over-"));
  ctx = await createContext();
  server = await startVault("vault", ctx);
  const made = await vault("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 });
  await vault("PUT", "sys/unseal", { key: (made["keys"] as string[])[0] });
  root = String(made["root_token"]);
  for (const name of ["project", "home"]) fs.mkdirSync(path.join(folder, name));
  fs.writeFileSync(path.join(folder, "project/Pulumi.yaml"), "name: small\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n");
  fs.writeFileSync(path.join(folder, "project/package.json"), '{"name":"small","private":true,"main":"index.js"}');
  fs.writeFileSync(
    path.join(folder, "project/index.js"),
    `const vault = require("@pulumi/vault");
const provider = new vault.Provider("v", { address: "http://127.0.0.1:${server.port}", token: "${root}", skipChildToken: true });
const mount = new vault.Mount("entries", { path: "apps", type: "kv", local: false, options: { version: "2" } }, { provider });
new vault.Mount("more", { path: "more", type: "kv", options: { version: "2" } }, { provider, dependsOn: [mount] });
exports.path = mount.path;
`,
  );
  fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "project/node_modules"));
});
afterAll(async () => {
  await server.stop();
  expect(ctx.unhandled.all()).toEqual([]);
  fs.rmSync(folder, { recursive: true });
});

/** @param state folder of the states; in a new one there is none */
async function up(state: string): Promise<{ result: WorkerResult; messages: WorkerMessage[] }> {
  fs.mkdirSync(path.join(folder, state), { recursive: true });
  const env = { PULUMI_HOME: path.join(folder, "home"), PULUMI_BACKEND_URL: `file://${folder}/${state}`, PULUMI_CONFIG_PASSPHRASE: "test" };
  const processes = new StackProcesses({ ...env, PULUMI_SKIP_UPDATE_CHECK: "true", HOMELAB_PROGRAM_PRELOAD: undefined }, createRedactor());
  const messages: WorkerMessage[] = [];
  const task = { operation: "up" as const, stack: "dev", workDir: path.join(folder, "project"), engineRoot: path.join(ROOT, "engine"), parallel: 4 };
  const result = await processes.run({ ...task, isNew: true, takeOver: true }, (message) => void messages.push(message)).result;
  processes.close();
  return { result, messages };
}

const warnings = (messages: readonly WorkerMessage[]): string[] =>
  messages.flatMap((message) => (message.kind === "diagnostic" && message.severity === "warning" ? [message.message] : []));

test("existing resources are imported in rounds, missing ones are created, and neither is reported as a failure", async () => {
  await vault("POST", "sys/mounts/apps", { type: "kv", options: { version: "2" } });
  await vault("POST", "apps/data/entry", { data: { kept: "yes" } });
  const { result, messages } = await up("first");
  expect([result.error, result.outputs]).toEqual([undefined, { path: { value: "apps", secret: false } }]);
  expect(warnings(messages)).toEqual(["entries is there already, as apps: it is taken into the state"]);
  expect(messages.filter(({ kind }) => kind === "step-failed")).toEqual([]);
  expect(await vault("GET", "apps/data/entry")).toMatchObject({ data: { data: { kept: "yes" } } });
  // Both exist now. The second is found only after the first was taken over.
  const again = await up("second");
  expect([again.result.error, warnings(again.messages)]).toEqual([
    undefined,
    ["entries is there already, as apps: it is taken into the state", "more is there already, as more: it is taken into the state"],
  ]);
});

test("what is there and is something else is named, and stays as it is", async () => {
  await vault("DELETE", "sys/mounts/apps");
  await vault("POST", "sys/mounts/apps", { type: "kv", local: true, options: { version: "2" } });
  const { result } = await up("third");
  expect(result).toMatchObject({
    ok: false,
    error: { code: "E_NOT_OURS", message: expect.stringMatching(/^entries: what is there as apps is not what the program describes/) },
  });
  expect(await vault("GET", "sys/mounts")).toMatchObject({ "apps/": { type: "kv", local: true } });
});
