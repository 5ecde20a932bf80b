/** Holds the lab's Kubernetes API against what a real kube-apiserver 1.34.2 answered (recorded.real.test.ts asks it again). */
import { Agent } from "undici";
import { parse } from "yaml";
import { type Cluster, startCluster } from "../../../lab/kubernetes";
import { testContext } from "../../support/lab-context";
import { answer, normalise, type Server, sequence } from "./sequence";

/** Sequences whose every answer is modelled to the letter. */
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
