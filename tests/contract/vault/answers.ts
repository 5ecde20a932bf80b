/** Answers to calls that clients make: our own parts, External Secrets, the CLI, a person. */
import { z } from "zod";
import { errors, Questions } from "./questions";
import type { VaultUnderTest } from "./under-test";

const KV = `answers${process.pid}`;

export function answers(vault: () => VaultUnderTest): void {
  const ask = new Questions(vault);
  const { call, makeToken } = ask;

  beforeAll(() => ask.mount(KV));
  afterAll(() => ask.clear());

  describe("who asks, and for what", () => {
    test("without a token, with an unknown one, with one that lacks the permission", async () => {
      expect(await call("GET", "sys/mounts", undefined, "")).toEqual({ status: 403, body: errors("permission denied") });
      const unknown = { status: 403, body: errors("2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n") };
      for (const token of ["hvs.unknown", "s.unknown", "x"]) expect(await call("GET", "sys/mounts", undefined, token)).toEqual(unknown);
      expect(await call("GET", "no/such/path", undefined, "hvs.unknown")).toEqual(unknown);
      const { client_token: once } = await makeToken({ policies: ["default"], ttl: "5m", num_uses: 1 });
      expect((await call("GET", "auth/token/lookup-self", undefined, once)).status).toBe(200);
      expect(await call("GET", "auth/token/lookup-self", undefined, once)).toEqual(unknown);
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
      const refused: [string, number, string][] = [
        ["{", 500, "malformed JSON, unclosed containers"],
        ['{"a":', 500, "malformed JSON, unclosed containers"],
        ['{"a":"}', 500, "malformed JSON, unclosed string"],
        ['{"a": [1}', 500, "malformed JSON: mismatched closing delimiter '}'"],
        ["{} {}", 500, "invalid character '{' after top-level value"],
        ["[]", 400, "error parsing JSON: failed to parse JSON input: json: cannot unmarshal array into Go value of type map[string]interface {}"],
        ["1", 400, "error parsing JSON: failed to parse JSON input: json: cannot unmarshal number into Go value of type map[string]interface {}"],
      ];
      for (const [body, status, why] of refused) expect([body, await call("PUT", "sys/policies/acl/bad", body)]).toEqual([body, { status, body: errors(why) }]);
      expect(await call("PUT", "sys/policies/acl/bad", "nope")).toEqual({
        status: 400,
        body: errors(expect.stringMatching(/^error parsing JSON: failed to parse JSON input: invalid character /)),
      });
      // An empty body counts as an empty object.
      for (const body of ["", "null"])
        expect((await call("PUT", "sys/policies/acl/bad", body)).body).toEqual(errors("'policy' parameter not supplied or empty"));
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

    test("a move is accepted at once and done later; the old path is gone", async () => {
      const to = `${KV}-moved`;
      expect((await call("POST", "sys/remount", { from: "not-there", to })).body).toEqual(errors('no matching mount at "not-there/"'));
      const { migration_id: id } = z.object({ migration_id: z.string() }).parse((await call("POST", "sys/remount", { from: KV, to })).body["data"]);
      const status = async () =>
        z.object({ migration_info: z.object({ status: z.string() }) }).parse((await call("GET", `sys/remount/status/${id}`)).body["data"]);
      while ((await status()).migration_info.status === "in-progress") await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await status()).toEqual({ migration_info: expect.objectContaining({ status: "success" }) });
      expect((await call("GET", `${KV}/data/a`)).status).toBe(404);
      const back = z.object({ migration_id: z.string() }).parse((await call("POST", "sys/remount", { from: to, to: KV })).body["data"]);
      while ((await call("GET", `sys/mounts/${KV}`)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(back.migration_id).not.toBe(id);
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
