import { LabVault } from "../../tests/support/lab-vault";

const lab = new LabVault();
const { call, open, mountKv, writes, unhandled } = lab;
beforeEach(lab.start);
afterEach(lab.stop);

describe("policies and tokens", () => {
  let root: string;
  const token = async (body: unknown): Promise<string> => String((await call("POST", "auth/token/create", body, root)).body["auth"]?.["client_token"]);
  beforeEach(async () => {
    root = await open();
    await mountKv(root);
    await call("PUT", "kv/data/apps/dev/db", { data: { x: 1 } }, root);
  });

  test("no token, a wrong one, and one whose policy does not allow it", async () => {
    expect(await call("GET", "kv/data/a")).toEqual({ status: 403, body: { errors: ["permission denied"] } });
    expect(await call("GET", "kv/data/a", undefined, "hvs.wrong")).toEqual({
      status: 403,
      body: { errors: ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"] },
    });
    expect((await call("GET", "kv/data/a", undefined, await token({ policies: ["default"] }))).body).toEqual({
      errors: ["1 error occurred:\n\t* permission denied\n\n"],
    });
  });

  test.each([
    ['path "kv/data/apps/*" { capabilities = ["read"] }', 200],
    ['path "kv/data/apps/+/db" { capabilities = ["read"] }', 200],
    ['path "kv/data/apps/+" { capabilities = ["read"] }', 403],
    ['path "kv/data/apps/dev" { capabilities = ["read"] }', 403],
    ['path "kv/data/apps/dev*" { policy = "read" }', 200],
    ['# all\npath "kv/*" { capabilities = ["read"] } // but\npath "kv/data/apps/dev/db" { capabilities = ["deny"] }', 403],
    ['path "kv/*" { capabilities = ["deny"] }\npath "kv/data/apps/dev/db" {\n  capabilities = ["read", "list",]\n}', 200],
    ['path "kv/data/+/dev/*" { capabilities = ["deny"] }\npath "kv/data/apps/+/db" { capabilities = ["read"] }', 200],
    ['{"path":{"kv/data/apps/*":{"capabilities":["read"]}}}', 200],
  ])("%s → %d", async (policy, status) => {
    expect((await call("PUT", "sys/policies/acl/p", { policy }, root)).status).toBe(204);
    expect((await call("GET", "kv/data/apps/dev/db", undefined, await token({ policies: ["p"] }))).status).toBe(status);
  });

  test("create and update are two things for entries", async () => {
    await call("PUT", "sys/policies/acl/c", { policy: 'path "kv/data/*" { capabilities = ["create"] }' }, root);
    const creator = await token({ policies: ["c"] });
    expect((await call("POST", "kv/data/new", { data: {} }, creator)).status).toBe(200);
    expect((await call("POST", "kv/data/new", { data: {} }, creator)).status).toBe(403);
    expect((await call("POST", "sys/capabilities-self", { paths: ["kv/data/new", "kv/metadata/new"] }, creator)).body["data"]).toEqual({
      "kv/data/new": ["create"],
      "kv/metadata/new": ["deny"],
    });
  });

  test("root-protected paths want sudo as well", async () => {
    const allow = (more: string) => `path "sys/auth/kubernetes-*" { capabilities = ["create", "read", "update"${more}] }`;
    await call("PUT", "sys/policies/acl/p", { policy: allow("") }, root);
    const holder = await token({ policies: ["p"] });
    expect((await call("POST", "sys/auth/kubernetes-dev", { type: "kubernetes" }, holder)).status).toBe(403);
    await call("PUT", "sys/policies/acl/p", { policy: allow(', "sudo"') }, root);
    expect((await call("POST", "sys/auth/kubernetes-dev", { type: "kubernetes" }, holder)).status).toBe(204);
  });

  test("a policy that cannot be read is refused with the place, one that is not modelled is noted as well", async () => {
    expect((await call("PUT", "sys/policies/acl/p", { policy: 'path "a" {\n capabilities = ["fly"] }' }, root)).body).toEqual({
      errors: ['failed to parse policy: path "a": invalid capability "fly"'],
    });
    expect((await call("PUT", "sys/policies/acl/p", { policy: 'path "a" {\n capabilities ["read"] }' }, root)).body).toEqual({
      errors: ['failed to parse policy: error parsing: At 2: expected "=", found "["'],
    });
    expect(unhandled()).toEqual([]);
    expect((await call("PUT", "sys/policies/acl/p", { policy: 'path "a" { allowed_parameters = { "x" = [] } }' }, root)).status).toBe(400);
    expect(unhandled()).toEqual(["policy: allowed_parameters in a policy"]);
  });

  test("the same policy again changes nothing; legacy and new paths show the same", async () => {
    const before = writes().length;
    for (let i = 0; i < 2; i++) await call("PUT", "sys/policies/acl/p", { policy: "# none" }, root);
    expect(writes().slice(before)).toEqual(["policy p"]);
    expect((await call("GET", "sys/policy/p", undefined, root)).body["data"]).toEqual({ name: "p", rules: "# none" });
    expect((await call("LIST", "sys/policies/acl", undefined, root)).body["data"]).toEqual({ keys: ["default", "p", "root"] });
    await call("DELETE", "sys/policies/acl/p", undefined, root);
    expect(await call("GET", "sys/policies/acl/p", undefined, root)).toEqual({ status: 404, body: { errors: [] } });
    expect((await call("DELETE", "sys/policies/acl/default", undefined, root)).status).toBe(400);
  });

  test("a token ends with its time, a periodic one lives as long as it is renewed", async () => {
    const short = await token({ ttl: "1h" });
    const periodic = await token({ period: "2h", policies: ["default"] });
    expect((await call("GET", "auth/token/lookup-self", undefined, periodic)).body["data"]).toMatchObject({
      creation_ttl: 7200,
      period: 7200,
      ttl: 7200,
      policies: ["default"],
      renewable: true,
      orphan: false,
      expire_time: "2026-01-01T02:00:00Z",
      issue_time: "2026-01-01T00:00:00Z",
      type: "service",
    });
    lab.now += 3_600_000;
    expect((await call("GET", "auth/token/lookup-self", undefined, short)).status).toBe(403);
    expect((await call("POST", "auth/token/renew-self", {}, periodic)).body["auth"]).toMatchObject({ lease_duration: 7200, client_token: periodic });
    lab.now += 7_100_000;
    expect((await call("GET", "auth/token/lookup-self", undefined, periodic)).status).toBe(200);
  });

  test("revoking a token revokes its children, but not orphans", async () => {
    await call("PUT", "sys/policies/acl/p", { policy: 'path "auth/token/create" { capabilities = ["update", "sudo"] }' }, root);
    const parent = await token({ policies: ["p"] });
    const make = async (body: unknown) => String((await call("POST", "auth/token/create", body, parent)).body["auth"]?.["client_token"]);
    const [child, orphan] = [await make({}), await make({ no_parent: true })];
    expect((await call("POST", "auth/token/revoke", { token: parent }, root)).status).toBe(204);
    expect((await call("GET", "auth/token/lookup-self", undefined, child)).status).toBe(403);
    expect((await call("GET", "auth/token/lookup-self", undefined, orphan)).body["data"]).toMatchObject({ orphan: true });
  });

  test("nobody gives more than they have", async () => {
    await call("PUT", "sys/policies/acl/p", { policy: 'path "auth/token/*" { capabilities = ["update"] }' }, root);
    const holder = await token({ policies: ["p"] });
    const make = (body: unknown) => call("POST", "auth/token/create", body, holder);
    expect((await make({ policies: ["other"] })).body).toEqual({ errors: ["child policies must be subset of parent"] });
    expect((await make({ no_parent: true })).body).toEqual({ errors: ["root or sudo privileges required to create orphan token"] });
    expect((await make({ period: "1h" })).body).toEqual({ errors: ["root or sudo privileges required to create periodic token"] });
    expect((await make({ num_uses: 1 })).status).toBe(200);
  });

  test("token roles", async () => {
    await call("PUT", "auth/token/roles/reader", { allowed_policies: "p1,p2", orphan: true, token_period: "1h" }, root);
    expect((await call("GET", "auth/token/roles/reader", undefined, root)).body["data"]).toMatchObject({
      allowed_policies: ["p1", "p2"],
      token_period: 3600,
      orphan: true,
    });
    expect((await call("POST", "auth/token/create/reader", { policies: ["p3"] }, root)).status).toBe(400);
    expect((await call("POST", "auth/token/create/reader", {}, root)).body["auth"]).toMatchObject({
      policies: ["default", "p1", "p2"],
      orphan: true,
      lease_duration: 3600,
    });
  });
});
