/** Answers to reads and writes of entries of KV version 2. */
import { z } from "zod";
import { errors, MERGE_PATCH, Questions } from "./questions";
import type { VaultUnderTest } from "./under-test";

const KV = `entries${process.pid}`;

export function kvAnswers(vault: () => VaultUnderTest): void {
  const ask = new Questions(vault);
  const { call } = ask;

  beforeAll(() => ask.mount(KV));
  afterAll(() => ask.clear());

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

  test("`..` and `//` that come encoded are resolved in the store, which finds a version's values only by the path that wrote it", async () => {
    const at = (path: string) => `/v1/${KV}/data/${path}`;
    const send = (method: string, target: string, data?: object) => vault().sendAsIs(method, target, vault().root, data && { data });
    expect((await put("folder/plain", { x: 1 })).status).toBe(200);
    expect((await send("POST", at("other/%2e%2e%2ffolder%2f%2Fplain"), { x: 2 })).status).toBe(200);
    expect(await call("GET", `${KV}/data/folder/plain`)).toEqual({ status: 500, body: errors("1 error occurred:\n\t* could not find version data\n\n") });
    expect((await call("GET", `${KV}/data/folder/plain?version=1`)).body["data"]).toMatchObject({ data: { x: 1 } });
    expect(JSON.parse((await send("GET", at("other/..%2Ffolder%2f%2fplain"))).text)).toMatchObject({ data: { data: { x: 2 } } });
    expect((await call("GET", `${KV}/metadata/folder/plain`)).body["data"]).toMatchObject({ current_version: 2 });
    // Above the mount there is nothing.
    expect((await send("DELETE", `/v1/${KV}/metadata/folder/%2e%2e/%2E./folder/plain`)).status).toBe(204);
    expect((await call("GET", `${KV}/metadata/folder/plain`)).status).toBe(200);
    expect((await send("DELETE", `/v1/${KV}/metadata/other/%2E./folder/plain`)).status).toBe(204);
    expect((await call("GET", `${KV}/metadata/folder/plain`)).status).toBe(404);
    for (const target of [at("other/../folder/plain"), at("/folder/plain"), at("./folder/plain")])
      expect([target, (await send("GET", target)).status]).toEqual([target, 307]);
  });

  test("an entry can require check-and-set", async () => {
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

  test("at most max_versions are kept, and oldest_version is set once there are that many", async () => {
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
    // An entry with metadata alone has no data to read.
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
    // A smaller limit removes no version before the next write.
    await call("POST", `${KV}/metadata/few`, { max_versions: 1 });
    expect(await metadata()).toMatchObject({ current_version: 3, oldest_version: 2, max_versions: 1 });
  });

  test("metadata: an empty map counts as none; a value must be a text; a duration must be valid", async () => {
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

  test("a patch changes the fields that it names, and needs its own content type and an existing entry", async () => {
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
    // The check-and-set version is checked first.
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
}
