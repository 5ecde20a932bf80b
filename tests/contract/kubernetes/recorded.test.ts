/** Compares the lab's Kubernetes API with the recorded answers of a kube-apiserver 1.34.2 (recorded.real.test.ts checks the recording). */
import { Agent } from "undici";
import { parse } from "yaml";
import { type Cluster, startCluster } from "../../../lab/kubernetes";
import { testContext } from "../../support/lab-context";
import { answer, normalise, type Server, sequence } from "./sequence";

/** Sequences of which the lab gives every answer exactly. */
const EXACT = ["namespace-crud", "configmap-crud", "generate-name", "list-select-delete-collection", "finalizers", "tables", "apply"];
const COMPARED = { dropManagers: true };

let cluster: Cluster;
let server: Server & { admin: Agent; anonymous: Agent };

beforeAll(async () => {
  const ctx = await testContext();
  cluster = await startCluster({ name: "dev", address: "192.168.1.12", node: "k8s-dev", ctx });
  const { users } = parse(cluster.adminKubeconfig()) as { users: { user: Record<string, string> }[] };
  const decode = (name: string) => Buffer.from(users[0]?.user[name] ?? "", "base64").toString();
  server = {
    origin: `https://127.0.0.1:${ctx.network.resolve("192.168.1.12", 6443)?.port}`,
    admin: new Agent({ connect: { ca: cluster.caPem, cert: decode("client-certificate-data"), key: decode("client-key-data") } }),
    anonymous: new Agent({ connect: { ca: cluster.caPem } }),
  };
});
afterAll(async () => {
  await server.admin.close();
  await server.anonymous.close();
  await cluster.stop();
});

describe.each(EXACT)("%s", (name) => {
  test("answers as the real server did", async () => {
    for (const [index, step] of sequence(name).entries()) {
      if ("waitMs" in step) continue;
      const { status, body } = await answer(server, step);
      expect({ index, status, body: normalise(body, COMPARED) }).toEqual({
        index,
        status: step.response.status,
        body: normalise(step.response.body, COMPARED),
      });
    }
  });
});

test("a watch with initial events ends the list of them with a bookmark, for which Go's informers wait", async () => {
  const path = "/api/v1/namespaces?watch=true&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  const { body } = await answer(server, { request: { path }, response: { status: 200, contentType: "application/json", body: null } });
  const events = body as { type: string; object: { kind: string; metadata: { annotations?: Record<string, string> } } }[];
  expect(new Set(events.slice(0, -1).map(({ type, object }) => `${type} ${object.kind}`))).toEqual(new Set(["ADDED Namespace"]));
  expect(events.at(-1)).toMatchObject({ type: "BOOKMARK", object: { kind: "Namespace", metadata: { annotations: { "k8s.io/initial-events-end": "true" } } } });
});
