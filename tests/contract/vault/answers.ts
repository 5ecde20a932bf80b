/** What is answered to calls as clients make them, by our parts or by others: External Secrets, the CLI, a person. */
import { z } from "zod";
import type { VaultAnswer, VaultUnderTest } from "./under-test";

const KV = `answers${process.pid}`;
const POLICY = `answers-${process.pid}`;

const authSchema = z.object({ auth: z.object({ client_token: z.string(), accessor: z.string() }).loose() });
const MERGE_PATCH = { "content-type": "application/merge-patch+json" };

export function answers(vault: () => VaultUnderTest): void {
  const call = (method: string, route: string, body?: unknown, token?: string, headers?: Record<string, string>): Promise<VaultAnswer> =>
    vault().call(method, route, body, token, headers);
  const errors = (...texts: unknown[]) => ({ errors: texts });
  const accessors: string[] = [];
  const create = async (body: object, token?: string): Promise<VaultAnswer> => {
    const answer = await call("POST", "auth/token/create", body, token);
    const made = authSchema.safeParse(answer.body);
    if (made.success) accessors.push(made.data.auth.accessor);
    return answer;
  };
  const makeToken = async (body: object) => authSchema.parse((await create(body)).body).auth;

  beforeAll(async () => {
    expect((await call("POST", `sys/mounts/${KV}`, { type: "kv", options: { version: "2" } })).status).toBe(204);
    // Version 2 of the engine takes a moment to come up.
    for (let tries = 0; tries < 100 && (await call("GET", `${KV}/config`)).status !== 200; tries++) await new Promise((resolve) => setTimeout(resolve, 50));
  });
  afterAll(async () => {
    for (const accessor of accessors) await call("POST", "auth/token/revoke-accessor", { accessor });
    await call("DELETE", `sys/mounts/${KV}`);
    await call("DELETE", `sys/policies/acl/${POLICY}`);
  });

  describe("who asks, and for what", () => {
    test("without a token, with one that is not known, with one that may not", async () => {
      expect(await call("GET", "sys/mounts", undefined, "")).toEqual({ status: 403, body: errors("permission denied") });
      expect(await call("GET", "sys/mounts", undefined, "hvs.unknown")).toEqual({ status: 403, body: errors("permission denied") });
      const { client_token: poor } = await makeToken({ policies: ["default"], ttl: "5m" });
      const denied = { status: 403, body: errors("1 error occurred:\n\t* permission denied\n\n") };
      expect(await call("GET", "sys/mounts", undefined, poor)).toEqual(denied);
      expect(await call("PUT", `${KV}/data/a`, { data: {} }, poor)).toEqual(denied);
      expect(await call("GET", "no/such/path", undefined, poor)).toEqual(denied);
    });

    test("a path that nothing serves", async () => {
      expect(await call("GET", "no/such/path")).toEqual({ status: 404, body: errors('no handler for route "no/such/path". route entry not found.') });
      expect((await call("GET", `${KV}/nonsense`)).status).toBe(404);
    });

    test("a body that is no JSON object", async () => {
      for (const body of ["{", "[]"])
        expect(await call("PUT", `sys/policies/acl/${POLICY}`, body)).toEqual({
          status: 400,
          body: errors(expect.stringMatching(/^failed to (parse|decode) JSON input: /)),
        });
    });
  });

  describe("mounts", () => {
    test("one that is not there; one that is there already", async () => {
      expect(await call("GET", "sys/mounts/not-there")).toEqual({ status: 400, body: errors("No secret engine mount at not-there/") });
      expect(await call("GET", "sys/mounts/not-there/tune")).toEqual({ status: 400, body: errors('cannot fetch sysview for path "not-there/"') });
      expect(await call("POST", "sys/mounts/not-there/tune", { description: "x" })).toEqual({
        status: 400,
        body: errors('tune of path "not-there/" failed: no mount entry found'),
      });
      expect((await call("DELETE", "sys/mounts/not-there")).status).toBe(204);
      expect(await call("GET", "sys/internal/ui/mounts/not-there")).toEqual({
        status: 403,
        body: errors(`preflight capability check returned 403, please ensure client's policies grant access to path "not-there/"`),
      });
      for (const path of [KV, `${KV}/below`])
        expect(await call("POST", `sys/mounts/${path}`, { type: "kv", options: { version: "2" } })).toEqual({
          status: 400,
          body: errors(`path is already in use at ${KV}/`),
        });
      expect(await call("POST", "sys/mounts/untyped", {})).toEqual({ status: 400, body: errors("backend type must be specified as a string") });
    });

    test("tuned: what is said is kept, leases of 0 are the system's", async () => {
      expect((await call("POST", `sys/mounts/${KV}/tune`, { description: "entries", max_lease_ttl: "1h", listing_visibility: "unauth" })).status).toBe(204);
      expect((await call("GET", `sys/mounts/${KV}/tune`)).body["data"]).toMatchObject({
        description: "entries",
        default_lease_ttl: 2_764_800,
        max_lease_ttl: 3600,
      });
      expect((await call("GET", `sys/mounts/${KV}`)).body["data"]).toMatchObject({
        type: "kv",
        options: { version: "2" },
        config: { default_lease_ttl: 0, max_lease_ttl: 3600, listing_visibility: "unauth" },
      });
      expect((await call("POST", `sys/mounts/${KV}/tune`, { max_lease_ttl: "0s", listing_visibility: "" })).status).toBe(204);
      const { config } = z.object({ config: z.record(z.string(), z.unknown()) }).parse((await call("GET", `sys/mounts/${KV}`)).body["data"]);
      expect(config).toMatchObject({ max_lease_ttl: 0 });
      expect(config).not.toHaveProperty("listing_visibility");
      expect((await call("POST", `sys/mounts/${KV}/tune`, { default_lease_ttl: "soon" })).status).toBe(400);
    });

    test("moved: asked for, and done later; the old path is gone", async () => {
      const to = `${KV}-moved`;
      expect((await call("POST", "sys/remount", { from: "not-there", to })).body).toEqual(errors('no matching mount at "not-there/"'));
      const { migration_id: id } = z.object({ migration_id: z.string() }).parse((await call("POST", "sys/remount", { from: KV, to })).body["data"]);
      const status = async () =>
        z.object({ migration_info: z.object({ status: z.string() }) }).parse((await call("GET", `sys/remount/status/${id}`)).body["data"]);
      for (let tries = 0; tries < 100 && (await status()).migration_info.status === "in-progress"; tries++)
        await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await status()).toEqual({ migration_info: expect.objectContaining({ status: "success" }) });
      expect((await call("GET", `${KV}/data/a`)).status).toBe(404);
      const back = z.object({ migration_id: z.string() }).parse((await call("POST", "sys/remount", { from: to, to: KV })).body["data"]);
      for (let tries = 0; tries < 100 && (await call("GET", `sys/mounts/${KV}`)).status !== 200; tries++)
        await new Promise((resolve) => setTimeout(resolve, 50));
      expect(back.migration_id).not.toBe(id);
    });
  });

  describe("entries of KV version 2", () => {
    const put = (at: string, data: object | null, options?: object, more: object = {}) =>
      call("PUT", `${KV}/data/${at}`, { data, ...(options === undefined ? {} : { options }), ...more });
    const wrongVersion = { status: 400, body: errors("check-and-set parameter did not match the current version") };

    test("check-and-set: 0 = not there, else the current version; beside `options` it is ignored", async () => {
      expect(await put("cas", {}, { cas: 1 })).toEqual(wrongVersion);
      expect(await put("cas", {}, { cas: "x" })).toEqual({ status: 400, body: errors("error parsing check-and-set parameter") });
      expect(await put("cas", { x: 1 }, { cas: 0 })).toMatchObject({
        status: 200,
        body: { data: { version: 1, destroyed: false, deletion_time: "", custom_metadata: null } },
      });
      expect(await put("cas", {}, { cas: 0 })).toEqual(wrongVersion);
      expect((await put("cas", { x: 2 }, { cas: 1 })).status).toBe(200);
      expect(await put("cas", { x: 3 }, undefined, { cas: 99 })).toMatchObject({
        status: 200,
        body: { data: { version: 3 }, warnings: ["Endpoint ignored these unrecognized parameters: [cas]"] },
      });
      expect(await call("PUT", `${KV}/data/cas`, { x: 1 })).toEqual({ status: 400, body: errors("no data provided") });
    });

    test("an entry may be made to want it", async () => {
      expect((await call("POST", `${KV}/metadata/wants`, { cas_required: true })).status).toBe(204);
      expect(await put("wants", {})).toEqual({ status: 400, body: errors("check-and-set parameter required for this call") });
      expect((await put("wants", {}, { cas: 0 })).status).toBe(200);
    });

    test("a value is read as it was written, with its type; a null is a value, and so is no data at all", async () => {
      const data = { text: "<&>\u2028", number: 1.5, list: [1, "2"], map: { a: null }, none: null };
      await put("values", data);
      expect((await call("GET", `${KV}/data/values`)).body["data"]).toMatchObject({ data, metadata: { version: 1 } });
      expect((await put("values", null)).status).toBe(200);
      expect(await call("GET", `${KV}/data/values`)).toMatchObject({ status: 200, body: { data: { data: null, metadata: { version: 2 } } } });
    });

    test("versions: by number, 0 = the latest; deleted, undeleted, destroyed", async () => {
      for (const x of [1, 2, 3]) await put("versions", { x });
      const read = (version?: number | string) => call("GET", `${KV}/data/versions${version === undefined ? "" : `?version=${version}`}`);
      expect((await read(1)).body["data"]).toMatchObject({ data: { x: 1 } });
      expect((await read(0)).body["data"]).toMatchObject({ data: { x: 3 } });
      expect(await read(9)).toEqual({ status: 404, body: errors() });
      expect((await read("x")).status).toBe(400);
      expect((await call("DELETE", `${KV}/data/versions`)).status).toBe(204);
      expect((await call("DELETE", `${KV}/data/versions`)).status).toBe(204);
      // A deleted version is "not found", with data that says so.
      expect(await read()).toMatchObject({
        status: 404,
        body: { data: { data: null, metadata: { version: 3, destroyed: false, deletion_time: expect.stringMatching(/^20.*Z$/) } } },
      });
      expect((await read(1)).status).toBe(200);
      expect(await put("versions", {}, { cas: 0 })).toEqual(wrongVersion);
      expect((await call("PUT", `${KV}/undelete/versions`, { versions: [3] })).status).toBe(204);
      expect((await read()).status).toBe(200);
      expect((await call("PUT", `${KV}/delete/versions`, { versions: [1] })).status).toBe(204);
      expect((await read(1)).status).toBe(404);
      expect((await call("PUT", `${KV}/destroy/versions`, { versions: ["3"] })).status).toBe(204);
      expect(await read()).toMatchObject({ status: 404, body: { data: { data: null, metadata: { destroyed: true } } } });
      expect((await call("PUT", `${KV}/undelete/versions`, { versions: [3] })).status).toBe(204);
      expect((await read()).status).toBe(404);
      expect(await call("PUT", `${KV}/destroy/versions`, {})).toEqual({ status: 400, body: errors(expect.stringMatching(/^no version number provided$/i)) });
      expect((await put("versions", { x: 4 }, { cas: 3 })).body["data"]).toMatchObject({ version: 4 });
    });

    test("only so many versions are kept, and the oldest is told once there are as many", async () => {
      await call("POST", `${KV}/metadata/few`, { max_versions: 2, custom_metadata: { owner: "me", count: 2 } });
      const metadata = async () => (await call("GET", `${KV}/metadata/few`)).body["data"];
      expect(await metadata()).toMatchObject({
        current_version: 0,
        oldest_version: 0,
        max_versions: 2,
        custom_metadata: { owner: "me", count: "2" },
        versions: {},
        cas_required: false,
        delete_version_after: "0s",
      });
      // An entry of metadata alone is no entry yet.
      expect(await call("GET", `${KV}/data/few`)).toEqual({ status: 404, body: errors() });
      for (const [x, oldest] of [
        [1, 0],
        [2, 1],
        [3, 2],
      ]) {
        await put("few", { x });
        expect(await metadata()).toMatchObject({ current_version: x, oldest_version: oldest });
      }
      expect(Object.keys(z.object({ versions: z.record(z.string(), z.unknown()) }).parse(await metadata()).versions)).toEqual(["2", "3"]);
      expect((await call("GET", `${KV}/data/few?version=1`)).status).toBe(404);
      // A smaller limit takes nothing away by itself.
      await call("POST", `${KV}/metadata/few`, { max_versions: 1 });
      expect(await metadata()).toMatchObject({ current_version: 3, oldest_version: 2, max_versions: 1 });
    });

    test("metadata: an empty map is none; a value must be a text; a time must be one", async () => {
      const write = (body: object) => call("POST", `${KV}/metadata/meta`, body);
      expect((await write({})).status).toBe(204);
      expect((await write({ custom_metadata: { a: { b: 1 } } })).status).toBe(400);
      expect((await write({ delete_version_after: "soon" })).status).toBe(400);
      expect((await call("GET", `${KV}/metadata/meta`)).status).toBe(404);
      expect((await write({ custom_metadata: { a: "1" }, delete_version_after: "3600s" })).status).toBe(204);
      expect((await call("GET", `${KV}/metadata/meta`)).body["data"]).toMatchObject({ custom_metadata: { a: "1" }, delete_version_after: "1h0m0s" });
      expect((await call("PATCH", `${KV}/metadata/meta`, { custom_metadata: { b: "2" } }, undefined, MERGE_PATCH)).status).toBe(204);
      expect((await call("GET", `${KV}/metadata/meta`)).body["data"]).toMatchObject({ custom_metadata: { a: "1", b: "2" } });
      expect((await call("PATCH", `${KV}/metadata/meta`, { custom_metadata: { a: null } }, undefined, MERGE_PATCH)).status).toBe(204);
      expect((await call("GET", `${KV}/metadata/meta`)).body["data"]).toEqual(expect.objectContaining({ custom_metadata: { b: "2" } }));
      expect((await write({ custom_metadata: {} })).status).toBe(204);
      expect((await call("GET", `${KV}/metadata/meta`)).body["data"]).toMatchObject({ custom_metadata: null });
      expect((await call("DELETE", `${KV}/metadata/meta`)).status).toBe(204);
      expect((await call("DELETE", `${KV}/metadata/meta`)).status).toBe(204);
      expect(await call("GET", `${KV}/metadata/meta`)).toEqual({ status: 404, body: errors() });
    });

    test("a patch changes what it names, and wants its own content type and something to patch", async () => {
      await put("patch", { a: 1, b: 2 });
      const patch = (at: string, data: object, headers?: Record<string, string>) => call("PATCH", `${KV}/data/${at}`, { data }, undefined, headers);
      expect(await patch("patch", { a: 9 })).toEqual({
        status: 415,
        body: errors("PATCH requires Content-Type of application/merge-patch+json, provided application/json"),
      });
      expect((await patch("patch", { a: null, c: 3 }, MERGE_PATCH)).body["data"]).toMatchObject({ version: 2 });
      expect((await call("GET", `${KV}/data/patch`)).body["data"]).toMatchObject({ data: { b: 2, c: 3 } });
      expect((await patch("not-there", { a: 1 }, MERGE_PATCH)).status).toBe(404);
      await call("DELETE", `${KV}/data/patch`);
      expect((await patch("patch", { a: 1 }, MERGE_PATCH)).status).toBe(404);
      // The version is looked at first.
      expect(await call("PATCH", `${KV}/data/patch`, { data: { a: 1 }, options: { cas: 1 } }, undefined, MERGE_PATCH)).toEqual(wrongVersion);
    });

    test("lists: folders end with a slash; an entry and a folder may have one name; deleted ones are there, empty folders are not", async () => {
      for (const at of ["list/a", "list/a/b", "list/sp%20ace/%C3%BC", "list/z"]) expect((await put(at, {})).status).toBe(200);
      await call("DELETE", `${KV}/data/list/z`);
      const keys = { keys: ["a", "a/", "sp ace/", "z"] };
      expect((await call("LIST", `${KV}/metadata/list`)).body["data"]).toEqual(keys);
      expect((await call("GET", `${KV}/metadata/list/?list=true`)).body["data"]).toEqual(keys);
      expect((await call("GET", `${KV}/metadata/list/sp%20ace?list=true`)).body["data"]).toEqual({ keys: ["ü"] });
      expect(await call("LIST", `${KV}/metadata/not-there`)).toEqual({ status: 404, body: errors() });
      expect((await call("GET", `${KV}/metadata/list`)).status).toBe(404);
      await call("DELETE", `${KV}/metadata/list/sp%20ace/%C3%BC`);
      expect((await call("LIST", `${KV}/metadata/list`)).body["data"]).toEqual({ keys: ["a", "a/", "z"] });
    });

    test("what is not there can be deleted, undeleted and destroyed", async () => {
      expect((await call("DELETE", `${KV}/data/not-there`)).status).toBe(204);
      for (const verb of ["undelete", "destroy", "delete"]) expect((await call("PUT", `${KV}/${verb}/not-there`, { versions: [1] })).status).toBe(204);
      expect((await call("GET", `${KV}/metadata/not-there`)).status).toBe(404);
    });
  });

  describe("policies", () => {
    const put = (name: string, policy: unknown) => call("PUT", `sys/policies/acl/${name}`, { policy });

    test("an empty one is none; a name is kept in small letters", async () => {
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

    test("to make an entry and to change one are two things; a list wants its own; a token is told what it may", async () => {
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

    test("root's has no end, no lease and nothing to renew", async () => {
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
      expect(await lookup(made.client_token)).toEqual({ status: 403, body: errors("permission denied") });
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
      // Without one it is the caller's own.
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

    test("nobody gives more than they have, and children end with their parent", async () => {
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

  describe("audit devices and auth methods", () => {
    test("an audit device needs its file and a path of its own; to remove what is not there is done", async () => {
      const put = (name: string, body: object) => call("PUT", `sys/audit/${name}`, body);
      expect(await put(KV, { type: "file" })).toEqual({ status: 400, body: errors(expect.stringContaining("file_path")) });
      expect((await put(KV, { type: "file", options: { file_path: "discard" } })).status).toBe(204);
      expect(await put(KV, { type: "file", options: { file_path: "discard" } })).toEqual({
        status: 400,
        body: errors(expect.stringContaining("path already in use")),
      });
      expect((await call("GET", "sys/audit")).body["data"]).toMatchObject({
        [`${KV}/`]: { type: "file", path: `${KV}/`, options: { file_path: "discard" }, local: false },
      });
      for (let i = 0; i < 2; i++) expect((await call("DELETE", `sys/audit/${KV}`)).status).toBe(204);
    });

    test("an auth method: not there, made, there already, moved, gone", async () => {
      if (!vault().given.kubernetes) return;
      const method = `kubernetes-${KV}`;
      expect(await call("GET", `sys/auth/${method}`)).toEqual({ status: 400, body: errors(`No auth engine at ${method}/`) });
      expect(await call("GET", `sys/mounts/auth/${method}/tune`)).toEqual({ status: 400, body: errors(`cannot fetch sysview for path "auth/${method}/"`) });
      expect((await call("POST", `sys/auth/${method}`, { type: "kubernetes" })).status).toBe(204);
      expect(await call("POST", `sys/auth/${method}`, { type: "kubernetes" })).toEqual({ status: 400, body: errors(`path is already in use at ${method}/`) });
      expect((await call("GET", `sys/mounts/auth/${method}/tune`)).body["data"]).toMatchObject({ default_lease_ttl: 2_764_800, token_type: "default-service" });
      for (const [route, method2] of [
        ["config", "GET"],
        ["role/app", "GET"],
        ["role", "LIST"],
      ] as const)
        expect((await call(method2, `auth/${method}/${route}`)).status).toBe(404);
      for (let i = 0; i < 2; i++) expect((await call("DELETE", `sys/auth/${method}`)).status).toBe(204);
      expect(await call("DELETE", "sys/auth/token")).toEqual({ status: 400, body: errors("token credential backend cannot be disabled") });
    });
  });
}
