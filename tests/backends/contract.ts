/** What every backend must do, whatever stores it. Run over a folder, the lab's S3 server, and MinIO. */
import { Backend } from "../../engine/backend/backend";
import { newManifest, parseCheckpoint, type RawDeployment } from "../../engine/backend/checkpoint";
import { moveHistory, readHistory, recordHistory } from "../../engine/backend/history";
import { breakLocks, isLocked, lockStack } from "../../engine/backend/locks";
import { StateWriter } from "../../engine/backend/state-writer";
import { brokenRule } from "../../engine/snapshot/integrity";
import { SnapshotManager } from "../../engine/snapshot/manager";
import { deserializeSnapshot } from "../../engine/snapshot/serialize";
import { emptyState, type ResourceState } from "../../engine/snapshot/types";

export const PLAIN = { encrypt: (text: string): string => text, decrypt: (text: string): string => text };
const URN = (name: string): string => `urn:pulumi:dev::p::t:i:T::${name}`;

function resource(name: string, dependencies: string[] = []): ResourceState {
  return { ...emptyState(URN(name), "t:i:T", true), id: `id-${name}`, inputs: { name }, dependencies: dependencies.map(URN) };
}

const deployment = (names: string[]): RawDeployment => ({
  manifest: newManifest(),
  secrets_providers: { type: "passphrase", state: { salt: "v1:x" } },
  resources: names.map((name) => ({ urn: URN(name), custom: true, id: `id-${name}`, type: "t:i:T" })),
  metadata: {},
});

const urnsOf = (latest: RawDeployment | undefined): string[] =>
  deserializeSnapshot(latest ?? {}, PLAIN).resources.map(({ urn }) => urn.split("::").at(-1) ?? "");

/** @param fresh URL of an empty backend */
export function backendContract(fresh: () => Promise<string>): void {
  let backend: Backend;
  const key = ".pulumi/stacks/p/dev.json";
  const read = (name: string): Promise<string | undefined> => backend.bucket.read(name);

  beforeEach(async () => {
    backend = await Backend.open(await fresh(), "/");
  });

  test("a stack is made, saved with its old version as .bak, listed and removed", async () => {
    await backend.create("p", "dev");
    expect(await read(".pulumi/meta.yaml")).toBe("version: 1\n");
    expect(await read(key)).toBe('{"version":0,"checkpoint":{"stack":"organization/p/dev"}}');
    await expect(backend.create("p", "dev")).rejects.toThrow("stack 'organization/p/dev' already exists");
    await backend.save("p", "dev", deployment(["a"]));
    await backend.save("p", "dev", deployment(["a", "b"]));
    expect(urnsOf(await backend.load("p", "dev"))).toEqual(["a", "b"]);
    expect(urnsOf(parseCheckpoint((await read(`${key}.bak`)) ?? "", "bak").latest)).toEqual(["a"]);
    expect(JSON.parse((await read(key)) ?? "")).toMatchObject({ version: 3, checkpoint: { stack: "organization/p/dev", latest: { metadata: {} } } });
    expect(await backend.list(undefined)).toMatchObject([{ project: "p", stack: "dev", resourceCount: 2, updateInProgress: false }]);
    expect(await backend.list("other")).toEqual([]);
    await backend.remove("p", "dev");
    expect([await backend.exists("p", "dev"), await read(key)]).toEqual([false, undefined]);
    expect(await backend.bucket.list(".pulumi/stacks/p")).toEqual(["dev.json.bak"]);
    await expect(backend.load("p", "dev")).rejects.toThrow("no stack named 'dev' found");
  });

  test("names with signs and many keys", async () => {
    await backend.bucket.write("a b/ü&+.json", "{}\n");
    expect(await backend.bucket.list("a b")).toEqual(["ü&+.json"]);
    await backend.bucket.copy("a b/ü&+.json", "a b/copy");
    expect([await read("a b/copy"), await read("a b/none")]).toEqual(["{}\n", undefined]);
    await backend.bucket.remove("a b/none");
    await expect(backend.bucket.copy("a b/none", "a b/x")).rejects.toThrow();
  });

  test("a lock is refused to the next, who is told who holds it, where and since when; cancel frees it", async () => {
    const release = await lockStack(backend.bucket, "p", "dev");
    const [name = ""] = await backend.bucket.list(".pulumi/locks/organization/p/dev");
    expect(name).toMatch(/^[0-9a-f-]{36}\.json$/);
    expect(JSON.parse((await read(`.pulumi/locks/organization/p/dev/${name}`)) ?? "")).toMatchObject({ pid: process.pid, hostname: expect.any(String) });
    await expect(lockStack(backend.bucket, "p", "dev")).rejects.toThrow(
      new RegExp(`the stack is currently locked by 1 lock\\(s\\)[^]*${name}.*: created by \\S+@\\S+ \\(pid ${process.pid}\\) at \\d{4}-`),
    );
    await release();
    expect(await isLocked(backend.bucket, "p", "dev")).toBe(false);
    await backend.bucket.write(".pulumi/locks/organization/p/dev/half.json", '{"pid":');
    await expect(lockStack(backend.bucket, "p", "dev")).rejects.toThrow("its holder cannot be read");
    await breakLocks(backend.bucket, "p", "dev");
    await (await lockStack(backend.bucket, "p", "dev"))();
  });

  test("history: newest first, in pages, with checkpoints and backups; it moves with a stack's name", async () => {
    await backend.create("p", "dev");
    for (const message of ["one", "two", "three"])
      await recordHistory(backend, "p", "dev", { kind: "update", startTime: 1, endTime: 2, message, result: "succeeded", resourceChanges: { create: 1 } });
    const messages = async (page?: { skip: number; limit: number }): Promise<string[]> =>
      (await readHistory(backend, "p", "dev", page)).map(({ message }) => message);
    expect(await messages()).toEqual(["three", "two", "one"]);
    expect(await messages({ skip: 1, limit: 1 })).toEqual(["two"]);
    expect((await backend.bucket.list(".pulumi/history/p/dev")).filter((name) => name.endsWith(".checkpoint.json"))).toHaveLength(3);
    expect(await backend.bucket.list(".pulumi/backups/p/dev")).toHaveLength(3);
    await moveHistory(backend, "p", "dev", "next");
    expect([await messages(), (await readHistory(backend, "p", "next")).length]).toEqual([[], 3]);
  });

  test.each([
    ["cut off", '{"version":3,"checkpo', "is not whole JSON"],
    ["something else", '{"stack":"dev"}', "is no checkpoint"],
    ["wrong magic", JSON.stringify({ version: 3, checkpoint: { latest: { manifest: { time: "", magic: "x", version: "v1" } } } }), "has a wrong magic number"],
  ])("a damaged state file (%s) is one error that names the file and the backup", async (_what, text, why) => {
    await backend.create("p", "dev");
    await backend.bucket.write(key, text);
    const error = await backend.load("p", "dev").catch((thrown: Error) => thrown.message);
    expect(error).toContain(why);
    expect(error).toContain(backend.bucket.url(key).replace(/\?.*/, ""));
    expect(error).toContain("dev.json.bak");
    expect(await read(key)).toBe(text);
  });

  test.each([
    ["whole", 1_000_000],
    ["journalled where the store can append", 0],
  ])("every state that is written (%s) keeps the rules and has every note before its operation", async (_how, wholeLimit) => {
    await backend.create("p", "dev");
    await backend.save("p", "dev", deployment(["old"]));
    const base = deserializeSnapshot((await backend.load("p", "dev")) ?? {}, PLAIN);
    const writer = new StateWriter({
      backend,
      project: "p",
      stack: "dev",
      codec: PLAIN,
      secretsProviders: { type: "passphrase", state: { salt: "v1:x" } },
      metadata: {},
      base,
      wholeLimit,
    });
    const state = new SnapshotManager(base, writer);
    const seen = async (): Promise<[string[], string[]]> => {
      const latest = await backend.load("p", "dev");
      const snapshot = deserializeSnapshot(latest ?? {}, PLAIN);
      expect(brokenRule(snapshot.resources)).toBeUndefined();
      return [urnsOf(latest), snapshot.pendingOperations.map(({ type, resource: { urn } }) => `${type} ${urn.split("::").at(-1)}`)];
    };
    const creating = state.begin({ type: "creating", resource: resource("a") });
    await state.durable();
    expect(await seen()).toEqual([["old"], ["creating a"]]);
    state.settle({ ends: creating, add: resource("a") });
    const second = state.begin({ type: "creating", resource: resource("b", ["a"]) });
    const third = state.begin({ type: "deleting", resource: base.resources[0] as ResourceState });
    await state.durable();
    expect(await seen()).toEqual([
      ["a", "old"],
      ["creating b", "deleting old"],
    ]);
    state.settle({ ends: third, remove: [base.resources[0] as ResourceState] });
    state.settle({ ends: second, add: resource("b", ["a"]) });
    await state.durable();
    expect(await seen()).toEqual([["a", "b"], []]);
    expect(state.durable()).toBeUndefined();
    const open = JSON.parse((await read(key)) ?? "");
    const journalled = wholeLimit === 0 && backend.bucket.file(key) !== undefined;
    // The CLI refuses a file with a feature that it does not know. So it cannot continue from a file that is behind its journal.
    expect([open.version, open.features]).toEqual(journalled ? [4, ["homelab-journal"]] : [3, undefined]);
    await writer.finish();
    expect(await seen()).toEqual([["a", "b"], []]);
    expect(JSON.parse((await read(key)) ?? "")).toMatchObject({ version: 3 });
    expect(urnsOf(parseCheckpoint((await read(`${key}.bak`)) ?? "", "bak").latest)).toEqual(["old"]);
    expect(await backend.bucket.list(".pulumi/stacks/p")).toEqual(["dev.json", "dev.json.bak"]);
  });

  test("a reader beside a writer sees each state that was acknowledged, and none that is older or half", async () => {
    await backend.create("p", "dev");
    await backend.save("p", "dev", deployment([]));
    let [acknowledged, reads, done] = [0, 0, false];
    const read = async (): Promise<void> => {
      const reader = await Backend.open(backend.url, "/");
      while (!done) {
        const atLeast = acknowledged;
        const urns = urnsOf(await reader.load("p", "dev"));
        expect(urns).toEqual(Array.from({ length: urns.length }, (_none, at) => `r${at}`));
        expect(urns.length).toBeGreaterThanOrEqual(atLeast);
        expect((await reader.list("p")).map(({ resourceCount = 0 }) => resourceCount >= atLeast)).toEqual([true]);
        reads++;
      }
    };
    // Writers of killed runs are kept, so that their files stay open until the end.
    const writers: StateWriter[] = [];
    const write = async (): Promise<void> => {
      for (let run = 0; run < 6; run++) {
        const base = deserializeSnapshot((await backend.load("p", "dev")) ?? {}, PLAIN);
        const facts = { backend, project: "p", stack: "dev", codec: PLAIN, secretsProviders: { type: "passphrase", state: { salt: "v1:x" } }, metadata: {} };
        const writer = new StateWriter({ ...facts, base, wholeLimit: 0 });
        writers.push(writer);
        const state = new SnapshotManager(base, writer);
        for (const r of base.resources) state.settle({ over: r, add: r });
        for (let i = 0; i < 4; i++) {
          state.settle({ add: resource(`r${acknowledged}`) });
          await state.durable();
          acknowledged++;
        }
        // A run that is killed leaves its journal.
        if (run % 2 === 0) await writer.finish();
      }
      done = true;
    };
    await Promise.all([write(), read(), read()]);
    expect([reads > 0, writers.length]).toEqual([true, 6]);
    expect(urnsOf(await backend.load("p", "dev"))).toHaveLength(24);
    // The system closes the files of a killed process. Here they are closed too: Node 26 fails where an open file is garbage-collected.
    for (const [run, writer] of writers.entries()) if (run % 2 !== 0) await writer.finish();
  });

  test("a layout that is not ours is refused by name", async () => {
    await backend.bucket.write(".pulumi/meta.yaml", "version: 2\n");
    await expect(Backend.open(backend.url, "/")).rejects.toThrow("a backend of layout version: 2 is not supported by the embedded engine");
  });
}
