/** Answers to requests about policies and tokens, and what these allow. */
import { z } from "zod";
import { authSchema, errors, Questions } from "./questions";
import type { VaultUnderTest } from "./under-test";

const KV = `permissions${process.pid}`;
const POLICY = `permissions-${process.pid}`;

export function permissionAnswers(vault: () => VaultUnderTest): void {
  const ask = new Questions(vault);
  const { call, create, makeToken } = ask;

  beforeAll(() => {
    ask.policy(POLICY);
    return ask.mount(KV);
  });
  afterAll(() => ask.clear());

  describe("policies", () => {
    const put = (name: string, policy: unknown) => call("PUT", `sys/policies/acl/${name}`, { policy });

    test("an empty policy counts as none; a name is stored in lower case", async () => {
      const none = { status: 400, body: errors("'policy' parameter not supplied or empty") };
      expect(await put(POLICY, "")).toEqual(none);
      expect(await put(POLICY, undefined)).toEqual(none);
      expect((await put(POLICY, "# nothing")).status).toBe(204);
      expect((await call("GET", `sys/policies/acl/${POLICY}`)).body["data"]).toMatchObject({ name: POLICY, policy: "# nothing" });
      expect(await put(POLICY.toUpperCase(), "# nothing")).toMatchObject({ status: 200, body: { warnings: [`policy name was converted to ${POLICY}`] } });
      expect((await call("LIST", "sys/policies/acl")).body["data"]).toEqual({ keys: expect.arrayContaining(["default", POLICY, "root"]) });
    });

    test.each([
      ['path "a" { capabilities = ["fly"] }', 'path "a": invalid capability "fly"'],
      ['path "a" { capability = ["read"] }', 'path "a": invalid key "capability"'],
      ['path "a/+*" { capabilities = ["read"] }', `path "a/+*": invalid use of wildcards ('+*' is forbidden)`],
      ['role "a" { capabilities = ["read"] }', 'invalid key "role"'],
      ['path "a" {\n capabilities ["read"] }', "At 2"],
    ])("%s is refused", async (policy, why) => {
      expect(await put("bad", policy)).toEqual({ status: 400, body: errors(expect.stringMatching(/^failed to parse policy: /)) });
      expect((await put("bad", policy)).body).toEqual(errors(expect.stringContaining(why)));
      expect(await call("GET", "sys/policies/acl/bad")).toEqual({ status: 404, body: errors() });
    });

    test("root and default stay", async () => {
      expect((await put("root", "# mine")).body).toEqual(errors('cannot update "root" policy'));
      expect((await call("DELETE", "sys/policies/acl/root")).body).toEqual(errors('cannot delete "root" policy'));
      expect((await call("DELETE", "sys/policies/acl/default")).body).toEqual(errors("cannot delete default policy"));
      expect((await call("DELETE", "sys/policies/acl/not-there")).status).toBe(204);
    });

    test.each([
      ['path "KV/data/apps/*" { capabilities = ["read"] }', 200],
      ['path "KV/data/apps/+/db" { capabilities = ["read"] }', 200],
      ['path "KV/data/+/+/db" { capabilities = ["read"] }', 200],
      ['path "KV/data/apps/+" { capabilities = ["read"] }', 403],
      ['path "KV/data/apps/dev" { capabilities = ["read"] }', 403],
      ['path "KV/data/apps/dev*" { policy = "read" }', 200],
      ['# all\npath "KV/*" { capabilities = ["read"] } // but\npath "KV/data/apps/dev/db" { capabilities = ["deny"] }', 403],
      ['path "KV/*" { capabilities = ["deny"] }\npath "KV/data/apps/dev/db" {\n  capabilities = ["read", "list",]\n}', 200],
      ['path "KV/data/+/dev/*" { capabilities = ["deny"] }\npath "KV/data/apps/+/db" { capabilities = ["read"] }', 200],
      ['path "KV/data/apps/*" { capabilities = ["deny"] }\npath "KV/data/+/dev/db" { capabilities = ["read"] }', 403],
      ['path "KV/data/apps/dev/db" { capabilities = ["list"] }\npath "KV/data/apps/*" { capabilities = ["read"] }', 403],
      ['{"path":{"KV/data/apps/*":{"capabilities":["read"]}}}', 200],
    ])("%s: reading an entry is %d", async (policy, status) => {
      await call("PUT", `${KV}/data/apps/dev/db`, { data: { x: 1 } });
      expect((await put(POLICY, policy.replaceAll("KV", KV))).status).toBe(204);
      const { client_token: token } = await makeToken({ policies: [POLICY], ttl: "5m" });
      expect((await call("GET", `${KV}/data/apps/dev/db`, undefined, token)).status).toBe(status);
    });

    test.each([
      ['path "KV/metadata/apps" { capabilities = ["list"] }', 200],
      ['path "KV/metadata/apps/" { capabilities = ["list"] }', 200],
      ['path "KV/metadata/apps/*" { capabilities = ["list"] }', 200],
      ['path "KV/metadata/apps/+" { capabilities = ["list"] }', 200],
      ['path "KV/metadata/+" { capabilities = ["list"] }', 200],
      ['path "KV/metadata/apps/dev" { capabilities = ["list"] }', 403],
      ['path "KV/metadata/app*" { capabilities = ["list"] }\npath "KV/metadata/apps" { capabilities = ["deny"] }', 403],
      ['path "KV/metadata/apps/*" { capabilities = ["list"] }\npath "KV/metadata/+/+" { capabilities = ["deny"] }', 200],
    ])("%s: listing a folder is %d", async (policy, status) => {
      await call("PUT", `${KV}/data/apps/dev/db`, { data: { x: 1 } });
      expect((await put(POLICY, policy.replaceAll("KV", KV))).status).toBe(204);
      const { client_token: token } = await makeToken({ policies: [POLICY], ttl: "5m" });
      expect((await call("LIST", `${KV}/metadata/apps`, undefined, token)).status).toBe(status);
    });

    test("create and update are separate capabilities, and list is another; a token can ask for its capabilities", async () => {
      await put(POLICY, `path "${KV}/data/*" { capabilities = ["create"] }\npath "${KV}/metadata/lists/*" { capabilities = ["list"] }`);
      await call("PUT", `${KV}/data/lists/a`, { data: {} });
      const { client_token: token } = await makeToken({ policies: [POLICY], ttl: "5m" });
      const post = () => call("POST", `${KV}/data/created`, { data: {} }, token);
      expect([(await post()).status, (await post()).status]).toEqual([200, 403]);
      expect((await call("LIST", `${KV}/metadata/lists`, undefined, token)).status).toBe(200);
      expect((await call("LIST", `${KV}/metadata`, undefined, token)).status).toBe(403);
      expect((await call("GET", `${KV}/metadata/lists/a`, undefined, token)).status).toBe(403);
      expect((await call("POST", "sys/capabilities-self", { paths: [`${KV}/data/created`, `${KV}/metadata/x`] }, token)).body["data"]).toMatchObject({
        [`${KV}/data/created`]: ["create"],
        [`${KV}/metadata/x`]: ["deny"],
      });
    });
  });

  describe("tokens", () => {
    const lookup = (token?: string) => call("GET", "auth/token/lookup-self", undefined, token);

    test("the root token does not expire, has no lease and cannot be renewed", async () => {
      const { data } = z.object({ data: z.looseObject({}) }).parse((await lookup()).body);
      expect(data).toMatchObject({ policies: ["root"], ttl: 0, expire_time: null, creation_ttl: 0 });
      expect(data).not.toHaveProperty("renewable");
      expect(await call("POST", "auth/token/renew-self", {})).toEqual({ status: 400, body: errors("invalid lease ID") });
    });

    test("a periodic one, as the program has: renewed for its period, whatever is asked", async () => {
      await call("PUT", `sys/policies/acl/${POLICY}`, { policy: "# nothing" });
      const made = await makeToken({ policies: [POLICY], period: "768h", no_parent: true, renewable: true, display_name: "program" });
      expect(made.accessor).toMatch(/^[0-9A-Za-z]{24}$/);
      expect(made).toMatchObject({
        policies: [POLICY, "default"].toSorted(),
        lease_duration: 2_764_800,
        renewable: true,
        orphan: true,
        token_type: "service",
        num_uses: 0,
      });
      const { data } = z.object({ data: z.looseObject({}) }).parse((await lookup(made.client_token)).body);
      expect(data).toMatchObject({
        display_name: "token-program",
        orphan: true,
        period: 2_764_800,
        creation_ttl: 2_764_800,
        explicit_max_ttl: 0,
        renewable: true,
        path: "auth/token/create",
        type: "service",
        expire_time: expect.stringMatching(/^20/),
        issue_time: expect.stringMatching(/^20/),
      });
      for (const body of [{}, { increment: "1h" }])
        expect((await call("POST", "auth/token/renew-self", body, made.client_token)).body["auth"]).toMatchObject({ lease_duration: 2_764_800 });
      const byAccessor = await call("POST", "auth/token/lookup-accessor", { accessor: made.accessor });
      expect(byAccessor.body["data"]).toMatchObject({ id: "", display_name: "token-program", last_renewal: expect.stringMatching(/^20/) });
      expect((await call("POST", "auth/token/revoke-accessor", { accessor: made.accessor })).status).toBe(204);
      expect(await lookup(made.client_token)).toEqual({ status: 403, body: errors("2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n") });
    });

    test("one that is not known, by each way to name it", async () => {
      const post = (verb: string, body: object) => call("POST", `auth/token/${verb}`, body);
      expect(await post("lookup", { token: "hvs.unknown" })).toEqual({ status: 403, body: errors("bad token") });
      expect(await post("lookup-accessor", { accessor: "unknown" })).toEqual({ status: 400, body: errors("1 error occurred:\n\t* invalid accessor\n\n") });
      expect(await post("lookup-accessor", {})).toEqual({ status: 400, body: errors("1 error occurred:\n\t* missing accessor\n\n") });
      expect(await post("renew", { token: "hvs.unknown" })).toEqual({ status: 400, body: errors("token not found") });
      expect(await post("renew-accessor", { accessor: "unknown" })).toEqual({ status: 400, body: errors("1 error occurred:\n\t* invalid accessor\n\n") });
      expect((await post("revoke", { token: "hvs.unknown" })).status).toBe(204);
      expect(await post("revoke-accessor", { accessor: "unknown" })).toMatchObject({ status: 200, body: { warnings: ["No token found with this accessor"] } });
      // Without a token in the body it is the caller's own.
      expect((await post("lookup", {})).body["data"]).toMatchObject({ policies: ["root"] });
    });

    test("limits: an end, a number of uses, no renewal; what is asked beyond the system's limit is cut, and told", async () => {
      const short = await makeToken({ policies: ["default"], ttl: "1h", explicit_max_ttl: "2h", meta: { a: "b" }, num_uses: 2 });
      expect(short).toMatchObject({ lease_duration: 3600, num_uses: 2, metadata: { a: "b" } });
      expect((await lookup(short.client_token)).body["data"]).toMatchObject({ meta: { a: "b" }, explicit_max_ttl: 7200 });
      expect((await lookup(short.client_token)).status).toBe(200);
      expect((await lookup(short.client_token)).status).toBe(403);
      const fixed = await makeToken({ policies: ["default"], ttl: "1h", renewable: false });
      expect(await call("POST", "auth/token/renew-self", {}, fixed.client_token)).toEqual({ status: 400, body: errors("lease is not renewable") });
      const long = await create({ policies: ["default"], ttl: "9999h" });
      expect(long.body).toMatchObject({
        auth: { lease_duration: 2_764_800 },
        warnings: [expect.stringMatching(/^TTL of "9999h.*exceeded the effective max_ttl of "768h/)],
      });
      expect((await create({ ttl: "soon" })).status).toBe(400);
      expect((await create({ policies: ["not-there"], ttl: "5m" })).body).toMatchObject({
        auth: { policies: ["default", "not-there"] },
        warnings: ['Policy "not-there" does not exist'],
      });
    });

    test("how long a token may live is told of all of them: what is asked beyond it is cut, and told", async () => {
      const tune = (limit: string) => call("POST", "sys/auth/token/tune", { max_lease_ttl: limit });
      const long = await create({ policies: ["default"], period: "87600h" });
      expect(long.body).toMatchObject({
        auth: { lease_duration: 2_764_800 },
        warnings: ['period of "87600h" exceeded the effective max_ttl of "768h"; period value is capped accordingly'],
      });
      expect((await tune("87600h")).status).toBe(204);
      try {
        expect((await call("GET", "sys/auth/token/tune")).body["data"]).toMatchObject({ max_lease_ttl: 315_360_000 });
        expect((await create({ policies: ["default"], period: "87600h" })).body).toMatchObject({ auth: { lease_duration: 315_360_000 }, warnings: null });
        expect((await create({ policies: ["default"], ttl: "80000h" })).body).toMatchObject({ auth: { lease_duration: 288_000_000 } });
        expect((await create({ policies: ["default"] })).body).toMatchObject({ auth: { lease_duration: 2_764_800 } });
      } finally {
        await tune("0");
      }
    });

    test("a token cannot give more than it has, and its children end with it", async () => {
      await call("PUT", `sys/policies/acl/${POLICY}`, { policy: 'path "auth/token/create" { capabilities = ["update"] }' });
      const { client_token: parent } = await makeToken({ policies: [POLICY], ttl: "5m" });
      const post = (body: object) => create(body, parent);
      for (const policies of [["other"], ["root"]])
        expect(await post({ policies })).toEqual({ status: 400, body: errors("child policies must be subset of parent") });
      expect((await post({ no_parent: true })).body).toEqual(errors("root or sudo privileges required to create orphan token"));
      expect((await post({ period: "1h" })).body).toEqual(errors("root or sudo privileges required to create periodic token"));
      const child = authSchema.parse((await post({})).body).auth;
      expect(child).toMatchObject({ policies: [POLICY, "default"].toSorted(), orphan: false });
      expect((await call("POST", "auth/token/revoke-self", undefined, parent)).status).toBe(204);
      expect((await lookup(child.client_token)).status).toBe(403);
    });
  });
}
