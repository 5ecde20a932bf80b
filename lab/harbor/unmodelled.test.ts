import { createContext, type OwnedContext } from "../core/context";
import { type HarborServer, startHarbor } from ".";

let ctx: OwnedContext;
let server: HarborServer;
beforeAll(async () => {
  ctx = await createContext();
  server = await startHarbor("tools/harbor", ctx, { password: () => "pw" });
});
afterAll(() => server.stop());

const authorization = `Basic ${Buffer.from("admin:pw").toString("base64")}`;
async function ask(method: string, path: string, body?: object): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    ...{ method, headers: { authorization } },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  await response.text();
  return response.status;
}
const noted = () => ctx.unhandled.all().length;

const PROJECT = { project_name: "shop", metadata: { public: "false" }, storage_limit: -1 };
const ROBOT = {
  name: "pipelines",
  level: "system",
  duration: -1,
  permissions: [{ kind: "project", namespace: "shop", access: [{ resource: "repository", action: "pull" }] }],
};
const RETENTION = { algorithm: "or", rules: [], trigger: { kind: "Schedule", settings: { cron: "0 0 2 * * *" } }, scope: { level: "project", ref: 1 } };

test("what is modelled is answered, and a list is cut to its page", async () => {
  expect(await ask("POST", "/api/v2.0/projects", PROJECT)).toBe(201);
  for (const name of ["a", "b"]) expect(await ask("POST", "/api/v2.0/registries", { name, type: "quay", url: "https://quay.io" })).toBe(201);
  const page = await fetch(`http://127.0.0.1:${server.port}/api/v2.0/registries?page_size=1`, { headers: { authorization } });
  expect(await page.json()).toMatchObject([{ name: "a" }]);
  expect([await ask("POST", "/api/v2.0/robots", ROBOT), await ask("POST", "/api/v2.0/retentions", RETENTION), noted()]).toEqual([201, 201, 0]);
});

test.each<[string, string, object | undefined]>([
  ["GET", "/api/v2.0/projects/shop/members", undefined],
  ["PUT", "/api/v2.0/projects/shop/metadatas/public", { metadata: { public: "true" } }],
  ["GET", "/api/v2.0/registries?q=name%3Da", undefined],
  ["GET", "/api/v2.0/robots?page=2", undefined],
  ["GET", "/api/v2.0/quotas?reference=user&reference_id=1", undefined],
  ["GET", "/api/v2.0/projects/shop?with_detail=true", undefined],
  ["DELETE", "/api/v2.0/projects/shop", undefined],
  ["GET", "/v2/shop/tags/list", undefined],
  ["POST", "/api/v2.0/projects", { ...PROJECT, project_name: "other", cve_allowlist: {} }],
  ["POST", "/api/v2.0/robots", { ...ROBOT, name: "b", duration: 30 }],
  ["POST", "/api/v2.0/robots", { ...ROBOT, name: "b", disable: true }],
  ["POST", "/api/v2.0/robots", { ...ROBOT, name: "b", editable: true }],
  ["POST", "/api/v2.0/retentions", { ...RETENTION, trigger: { kind: "Schedule", settings: { cron: "0 0 2 * * *" }, references: {} } }],
])("%s %s %j is refused and noted, and changes nothing", async (method, path, body) => {
  const [before, state] = [noted(), JSON.stringify(server.save())];
  expect([400, 404]).toContain(await ask(method, path, body));
  expect([noted(), JSON.stringify(server.save())]).toEqual([before + 1, state]);
});

test("what the real one refuses is refused, and no gap of the lab", async () => {
  const before = noted();
  expect([await ask("POST", "/api/v2.0/projects", PROJECT), await ask("POST", "/api/v2.0/projects", { ...PROJECT, project_name: "A B" }), noted()]).toEqual([
    409,
    400,
    before,
  ]);
});

test("a path that is no encoding is refused, and is no bug of the lab", async () => {
  const before = noted();
  expect([await ask("GET", "/api/v2.0/projects/%ZZ"), noted()]).toEqual([400, before]);
});
