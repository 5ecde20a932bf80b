import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { K3S_KUBECONFIG } from "../../tests/support/pulumi-mocks";
import { renameKubeconfig } from "../clusters/kubeconfig";
import { type ClusterApi, openCluster } from "./cluster-api";

interface Asked {
  line: string;
  accept: string | undefined;
  type: string | undefined;
  body: string;
}
const asked: Asked[] = [];
let answer: { status: number; text: string };
let server: http.Server;
let api: ClusterApi;
beforeEach(async () => {
  asked.length = 0;
  answer = { status: 200, text: "{}" };
  server = http.createServer(async (request, response) => {
    const body = (await request.toArray()).join("");
    const { accept, "content-type": type } = request.headers;
    asked.push({ line: `${request.method} ${request.url}`, accept, type, body });
    response.writeHead(answer.status).end(answer.text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  api = openCluster(renameKubeconfig(K3S_KUBECONFIG, "dev", `http://127.0.0.1:${(server.address() as AddressInfo).port}`));
});
afterEach(async () => {
  await api.close();
  await new Promise((resolve) => server.close(resolve));
});

test("what is sent says what it is, JSON unless it says so; what only asks sends nothing", async () => {
  await api.request("GET", "/version");
  await api.request("POST", "/api/v1/namespaces", { kind: "Namespace" });
  await api.request("PATCH", "/api/v1/namespaces/a?force=true", { kind: "Namespace" }, "application/apply-patch+yaml");
  const accept = "application/json";
  expect(asked).toEqual([
    { line: "GET /version", accept, type: undefined, body: "" },
    { line: "POST /api/v1/namespaces", accept, type: "application/json", body: '{"kind":"Namespace"}' },
    { line: "PATCH /api/v1/namespaces/a?force=true", accept, type: "application/apply-patch+yaml", body: '{"kind":"Namespace"}' },
  ]);
});

test.each([
  [403, '{"kind":"Status","message":"no right"}', "no right", { kind: "Status", message: "no right" }],
  [502, "<html>", "status 502", "<html>"],
  [200, '{"kind":"Pod","message":"of its own"}', "", { kind: "Pod", message: "of its own" }],
])("an answer %i with %s", async (status, text, message, body) => {
  answer = { status, text };
  expect(await api.request("GET", "/")).toEqual({ status, message, body });
});
