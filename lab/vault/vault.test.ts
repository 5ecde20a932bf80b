import { LabVault } from "../../tests/support/lab-vault";
import { startVault } from ".";

const lab = new LabVault();
const { call, open, mountKv, writes, unhandled } = lab;
beforeEach(lab.start);
afterEach(lab.stop);

describe("seal", () => {
  test("a fresh server: not initialised, 501, and sealed for everybody", async () => {
    expect((await call("GET", "sys/health")).status).toBe(501);
    expect((await call("GET", "sys/init")).body).toEqual({ initialized: false });
    expect(await call("GET", "sys/seal-status")).toMatchObject({
      status: 200,
      body: { type: "shamir", initialized: false, sealed: true, t: 0, n: 0, progress: 0, version: "1.21.0", storage_type: "file" },
    });
    expect(await call("GET", "sys/mounts", undefined, "x")).toEqual({ status: 503, body: { errors: ["Vault is sealed"] } });
  });

  test("five keys, of which any three unseal; hex and base64 are the same key; a key twice counts once", async () => {
    const init = (await call("PUT", "sys/init", { secret_shares: 5, secret_threshold: 3 })).body;
    const [hex, base64] = [init["keys"] as unknown as string[], init["keys_base64"] as unknown as string[]];
    expect([hex.length, base64.length]).toEqual([5, 5]);
    expect(Buffer.from(hex[0] ?? "", "hex").toString("base64")).toBe(base64[0]);
    expect((await call("GET", "sys/health")).status).toBe(503);
    expect((await call("PUT", "sys/unseal", { key: hex[4] })).body).toMatchObject({ sealed: true, progress: 1, t: 3, n: 5 });
    expect((await call("PUT", "sys/unseal", { key: base64[4] })).body).toMatchObject({ progress: 1 });
    expect((await call("PUT", "sys/unseal", { key: base64[1] })).body).toMatchObject({ progress: 2 });
    expect((await call("PUT", "sys/unseal", { key: hex[0] })).body).toMatchObject({ sealed: false, progress: 0 });
    expect((await call("GET", "sys/health")).status).toBe(200);
    expect(writes()).toEqual(["init", "unseal"]);
  });

  test("a wrong key fails when the threshold is reached, and the count starts again", async () => {
    const init = (await call("PUT", "sys/init", { secret_shares: 3, secret_threshold: 2 })).body;
    await call("PUT", "sys/unseal", { key: "ab".repeat(33) });
    expect(await call("PUT", "sys/unseal", { key: init["keys"]?.[0] })).toEqual({
      status: 400,
      body: { errors: ["unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: cipher: message authentication failed"] },
    });
    expect((await call("GET", "sys/seal-status")).body).toMatchObject({ sealed: true, progress: 0 });
    await call("PUT", "sys/unseal", { key: init["keys"]?.[1] });
    expect((await call("PUT", "sys/unseal", { reset: true })).body).toMatchObject({ progress: 0 });
  });

  test.each([
    [{}, "shares must be at least one"],
    [{ secret_shares: 3, secret_threshold: 0 }, "threshold must be at least one"],
    [{ secret_shares: 3, secret_threshold: 1 }, "threshold must be greater than one for multiple shares"],
    [{ secret_shares: 2, secret_threshold: 3 }, "threshold cannot be larger than shares"],
  ])("an initialisation with %j is refused", async (body, why) => {
    expect(await call("PUT", "sys/init", body)).toEqual({ status: 400, body: { errors: [`invalid seal configuration: ${why}`] } });
  });

  test("a second initialisation is refused; sys/seal closes it again", async () => {
    const root = await open();
    expect((await call("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 })).body).toEqual({ errors: ["Vault is already initialized"] });
    expect((await call("PUT", "sys/seal", {}, root)).status).toBe(204);
    expect((await call("GET", "kv/data/a", undefined, root)).status).toBe(503);
  });

  test("state survives; neither key nor token stands in it; a server that was stopped starts sealed", async () => {
    const changes: boolean[] = [];
    const init = (await call("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 })).body;
    const [key, root] = [String(init["keys_base64"]?.[0]), String(init["root_token"])];
    await call("PUT", "sys/unseal", { key });
    await mountKv(root);
    await call("PUT", "kv/data/a", { data: { x: 1 } }, root);
    const saved = JSON.stringify(lab.server.save());
    expect(saved).not.toContain(key);
    expect(saved).not.toContain(root);
    const next = await startVault("again", lab.ctx, { saved: JSON.parse(saved), onSealChange: () => changes.push(true) });
    expect((await call("GET", "kv/data/a", undefined, root, next)).body["data"]).toMatchObject({ data: { x: 1 } });
    await next.stop();
    const cold = await startVault("cold", lab.ctx, { saved: JSON.parse(saved), sealed: true, onSealChange: () => changes.push(cold.sealed) });
    expect(cold.sealed).toBe(true);
    await call("PUT", "sys/unseal", { key }, undefined, cold);
    expect(changes).toEqual([false]);
    expect((await call("GET", "kv/data/a", undefined, root, cold)).status).toBe(200);
    await cold.stop();
  });
});

describe("kv 2", () => {
  let root: string;
  beforeEach(async () => {
    root = await open();
    await mountKv(root);
  });

  test("versions, one by one, in Vault's shape", async () => {
    const first = await call("POST", "kv/data/apps/dev", { data: { user: "u" } }, root);
    expect(first).toMatchObject({
      status: 200,
      body: {
        request_id: expect.any(String),
        lease_duration: 0,
        data: { created_time: "2026-01-01T00:00:00.000Z", custom_metadata: null, deletion_time: "", destroyed: false, version: 1 },
      },
    });
    await call("PUT", "kv/data/apps/dev", { data: { user: "v" } }, root);
    expect((await call("GET", "kv/data/apps/dev", undefined, root)).body["data"]).toEqual({
      data: { user: "v" },
      metadata: { created_time: "2026-01-01T00:00:00.000Z", custom_metadata: null, deletion_time: "", destroyed: false, version: 2 },
    });
    expect((await call("GET", "kv/data/apps/dev?version=1", undefined, root)).body["data"]).toMatchObject({ data: { user: "u" }, metadata: { version: 1 } });
    expect(await call("GET", "kv/data/none", undefined, root)).toEqual({ status: 404, body: { errors: [] } });
    expect(writes().slice(-2)).toEqual(["kv-put apps/dev", "kv-put apps/dev"]);
  });

  test("check-and-set", async () => {
    expect((await call("PUT", "kv/data/a", { data: {}, options: { cas: 1 } }, root)).body).toEqual({
      errors: ["check-and-set parameter did not match the current version"],
    });
    expect((await call("PUT", "kv/data/a", { data: {}, options: { cas: 0 } }, root)).status).toBe(200);
    await call("POST", "kv/metadata/a", { cas_required: true }, root);
    expect((await call("PUT", "kv/data/a", { data: {} }, root)).body).toEqual({ errors: ["check-and-set parameter required for this call"] });
    expect((await call("PUT", "kv/data/a", { data: {}, options: { cas: 1 } }, root)).body["data"]).toMatchObject({ version: 2 });
  });

  test("delete, undelete, destroy: 404 with the version's data", async () => {
    await call("PUT", "kv/data/a", { data: { x: 1 } }, root);
    expect((await call("DELETE", "kv/data/a", undefined, root)).status).toBe(204);
    expect(await call("GET", "kv/data/a", undefined, root)).toMatchObject({
      status: 404,
      body: { data: { data: null, metadata: { deletion_time: "2026-01-01T00:00:00.000Z", destroyed: false, version: 1 } } },
    });
    await call("PUT", "kv/undelete/a", { versions: [1] }, root);
    expect((await call("GET", "kv/data/a", undefined, root)).status).toBe(200);
    await call("PUT", "kv/destroy/a", { versions: [1] }, root);
    expect((await call("GET", "kv/data/a", undefined, root)).body["data"]).toMatchObject({ data: null, metadata: { destroyed: true } });
    expect((await call("DELETE", "kv/metadata/a", undefined, root)).status).toBe(204);
    expect((await call("GET", "kv/metadata/a", undefined, root)).status).toBe(404);
    const before = writes().length;
    await call("DELETE", "kv/metadata/a", undefined, root);
    expect(writes().length).toBe(before);
  });

  test("lists: keys and folders, by LIST and by ?list=true", async () => {
    for (const path of ["a", "b/c", "b/d/e"]) await call("PUT", `kv/data/${path}`, { data: {} }, root);
    expect((await call("LIST", "kv/metadata", undefined, root)).body["data"]).toEqual({ keys: ["a", "b/"] });
    expect((await call("GET", "kv/metadata/b/?list=true", undefined, root)).body["data"]).toEqual({ keys: ["c", "d/"] });
    expect((await call("LIST", "kv/metadata/none", undefined, root)).status).toBe(404);
  });

  test("a limit of versions, a patch, and versions that expire", async () => {
    await call("POST", "kv/metadata/a", { max_versions: 2, custom_metadata: { owner: "me" } }, root);
    for (const x of [1, 2, 3]) await call("PUT", "kv/data/a", { data: { x, y: "kept" } }, root);
    expect((await call("GET", "kv/metadata/a", undefined, root)).body["data"]).toMatchObject({
      current_version: 3,
      oldest_version: 2,
      max_versions: 2,
      custom_metadata: { owner: "me" },
      versions: { "2": {}, "3": {} },
    });
    expect((await call("GET", "kv/data/a?version=1", undefined, root)).status).toBe(404);
    await call("PATCH", "kv/data/a", { data: { x: null, z: 1 } }, root, lab.server, "application/merge-patch+json");
    expect((await call("GET", "kv/data/a", undefined, root)).body["data"]).toMatchObject({ data: { y: "kept", z: 1 }, metadata: { version: 4 } });
    await call("POST", "kv/config", { delete_version_after: "1h" }, root);
    await call("PUT", "kv/data/short", { data: {} }, root);
    lab.now += 3_601_000;
    expect((await call("GET", "kv/data/short", undefined, root)).status).toBe(404);
  });
});

describe("mounts", () => {
  let root: string;
  beforeEach(async () => {
    root = await open();
  });

  test("mounting, reading, tuning, moving, unmounting", async () => {
    expect((await mountKv(root)).status).toBe(204);
    expect((await mountKv(root)).body).toEqual({ errors: ["path is already in use at kv/"] });
    expect((await call("GET", "sys/mounts/kv", undefined, root)).body["data"]).toMatchObject({
      type: "kv",
      options: { version: "2" },
      config: { default_lease_ttl: 0 },
    });
    expect((await call("GET", "sys/internal/ui/mounts/kv/some/path", undefined, root)).body["data"]).toMatchObject({ path: "kv/", options: { version: "2" } });
    await call("POST", "sys/mounts/kv/tune", { description: "entries", max_lease_ttl: "1h" }, root);
    expect((await call("GET", "sys/mounts/kv/tune", undefined, root)).body["data"]).toMatchObject({
      description: "entries",
      default_lease_ttl: 2_764_800,
      max_lease_ttl: 3600,
    });
    await call("PUT", "kv/data/a", { data: {} }, root);
    await call("POST", "sys/remount", { from: "kv", to: "kv2" }, root);
    expect((await call("GET", "kv2/data/a", undefined, root)).status).toBe(200);
    expect(await call("GET", "kv/data/a", undefined, root)).toEqual({
      status: 404,
      body: { errors: ['no handler for route "kv/data/a". route entry not found.'] },
    });
    await call("DELETE", "sys/mounts/kv2", undefined, root);
    expect((await call("GET", "sys/mounts/kv2", undefined, root)).body).toEqual({ errors: ["No secret engine mount at kv2/"] });
    expect(unhandled()).toEqual([]);
  });

  test("what is not modelled is refused, and noted", async () => {
    expect((await call("POST", "sys/mounts/pki", { type: "pki" }, root)).status).toBe(400);
    expect((await call("POST", "sys/mounts/kv1", { type: "kv" }, root)).status).toBe(400);
    expect((await call("GET", "sys/config/cors", undefined, root)).body).toEqual({
      errors: ["1 error occurred:\n\t* unsupported path\n\n"],
    });
    expect(unhandled()).toEqual(["secret engine pki", "secret engine kv version 1", "GET /v1/sys/config/cors"]);
  });

  test("an auth method of a cluster takes its authority from the pod that it runs in, and there is none here", async () => {
    await call("POST", "sys/auth/k", { type: "kubernetes" }, root);
    expect(await call("PUT", "auth/k/config", { kubernetes_host: "https://kubernetes.default.svc" }, root)).toEqual({
      status: 400,
      body: { errors: ["open /var/run/secrets/kubernetes.io/serviceaccount/ca.crt: no such file or directory"] },
    });
  });

  test("an audit device", async () => {
    expect((await call("PUT", "sys/audit/file", { type: "file", options: { file_path: "stdout" } }, root)).status).toBe(204);
    expect((await call("GET", "sys/audit", undefined, root)).body["data"]).toEqual({
      "file/": { description: "", local: false, options: { file_path: "stdout" }, path: "file/", type: "file" },
    });
  });
});
