/** Holds the lab's Kubernetes API against what a real kube-apiserver 1.34.2 answered. */
import * as fs from "node:fs";
import * as path from "node:path";
import { Agent, request } from "undici";
import { parse } from "yaml";
import { type Cluster, startCluster } from "../../../lab/kubernetes";
import { testContext } from "../../support/lab-context";

interface Step {
  request: { method?: string; path: string; headers?: Record<string, string>; body?: unknown; anonymous?: boolean };
  response: { status: number; contentType?: string; body: unknown; lines?: unknown[] };
  waitMs?: number;
}

const FOLDER = path.join(__dirname, "recorded");
/** Sequences whose every answer is modelled to the letter. */
const EXACT = ["namespace-crud", "configmap-crud", "generate-name", "list-select-delete-collection", "finalizers", "tables", "apply"];

/** What differs from run to run, and who owns which field (compared by the apply sequences alone). */
function normalise(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => normalise(item));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => name !== "managedFields")
        .map(([name, item]) => [name, normalise(item, name)]),
    );
  }
  if (typeof value !== "string") return value;
  if (key === "uid") return "<uid>";
  if (key === "resourceVersion") return "<rv>";
  if (key === "continue") return "<continue>";
  if (/^10\.\d+\.\d+\.\d+$/.test(value)) return "<cluster ip>";
  return /^\d{4}-\d\d-\d\dT/.test(value) ? "<time>" : value;
}

let cluster: Cluster;
let agent: Agent;
let origin: string;

beforeAll(async () => {
  const ctx = await testContext();
  cluster = await startCluster({ name: "dev", address: "192.168.1.12", node: "k8s-dev", ctx });
  const { users } = parse(cluster.adminKubeconfig()) as { users: { user: Record<string, string> }[] };
  const decode = (name: string) => Buffer.from(users[0]?.user[name] ?? "", "base64").toString();
  agent = new Agent({ connect: { ca: cluster.caPem, cert: decode("client-certificate-data"), key: decode("client-key-data") } });
  origin = `https://127.0.0.1:${ctx.network.resolve("192.168.1.12", 6443)?.port}`;
});
afterAll(async () => {
  await agent.close();
  await cluster.stop();
});

async function answer(step: Step): Promise<{ status: number; body: unknown }> {
  const { method = "GET", path: where, headers = {}, body } = step.request;
  const response = await request(`${origin}${where}`, {
    dispatcher: agent,
    method: method as "GET",
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: response.statusCode, body: JSON.parse(await response.body.text()) };
}

describe.each(EXACT)("%s", (name) => {
  const { steps } = JSON.parse(fs.readFileSync(path.join(FOLDER, `${name}.json`), "utf8")) as { steps: Step[] };
  test("answers as the real server did", async () => {
    for (const [index, step] of steps.entries()) {
      const got = await answer(step);
      expect({ index, ...(normalise(got) as object) }).toEqual({ index, status: step.response.status, body: normalise(step.response.body) });
    }
  });
});
