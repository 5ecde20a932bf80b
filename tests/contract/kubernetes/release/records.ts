/** The records of a release: what the state keeps of an installation that failed, and what a refresh reads. */
import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import { revisions, writeRecord } from "../../../../providers/kubernetes/helm/record";
import { partialFailure } from "../../../support/test-provider";
import { NEVER, RELEASE, type ReleaseBench, release } from "./bench";

const neverReady = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "never" },
  spec: { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "c:1" }] } } },
};

export function releaseRecords(bench: ReleaseBench): void {
  test("a list in a record stands for its objects, and an object that the API named is not looked for", async () => {
    const state = await bench.plugin.make(RELEASE, release("listed"));
    const [record] = await revisions(bench.client, "default", "listed", NEVER);
    if (record === undefined) throw new Error("no record");
    const item = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "in-a-list", namespace: "default" } };
    const more = [
      { apiVersion: "v1", kind: "List", items: [item] },
      { apiVersion: "batch/v1", kind: "Job", metadata: { generateName: "listed-" } },
    ];
    await writeRecord(bench.client, { ...record, manifest: [record.manifest, ...more.map((each) => `${JSON.stringify(each)}\n`)].join("---\n") }, NEVER);
    const read = await bench.plugin.read(RELEASE, state);
    expect(read?.outputs["resourceNames"]).toEqual({ "ConfigMap/v1": ["listed"], "List/v1": [""], "Job.batch/batch/v1": [""] });
    await bench.plugin.update(RELEASE, state, release("listed", { values: { greeting: "b" } }), { preview: true });
    await bench.api.call("POST", "/api/v1/namespaces/default/configmaps", item);
    await bench.plugin.delete(RELEASE, state);
    await expect(bench.api.call("GET", "/api/v1/namespaces/default/configmaps/in-a-list")).rejects.toThrow("404");
  });

  test.each([
    ["no base64 of gzip", "aHVudGVyMg=="],
    ["gzip of no JSON", Buffer.from(gzipSync("hunter2").toString("base64")).toString("base64")],
    ["JSON of another form", Buffer.from(gzipSync('{"name":"hunter2"}').toString("base64")).toString("base64")],
  ])("a record that cannot be read is named, and not quoted: %s", async (_what, damaged) => {
    const state = await bench.plugin.make(RELEASE, release("damaged"));
    const [name, path] = ["sh.helm.release.v1.damaged.v1", "/api/v1/namespaces/default/secrets"];
    const stored = await bench.api.call("GET", `${path}/${name}`);
    const store = async (data: unknown) => bench.api.call("PUT", `${path}/${name}`, { ...(await bench.api.call("GET", `${path}/${name}`)), data });
    await store({ release: damaged });
    const thrown = await bench.plugin.read(RELEASE, state).catch((error: unknown) => error);
    await store(stored["data"]);
    expect(thrown).toBeInstanceOf(Error);
    // The release's manifest is secret, and its name stands in it.
    expect(String(thrown)).toMatch(
      /the Secret default\/sh\.helm\.release\.v1\.\S+\.v1 is marked as a revision of a release, and does not hold one that can be read/,
    );
    expect(inspect(thrown)).not.toContain("hunter2");
    await bench.plugin.delete(RELEASE, state);
  });

  describe("what is kept", () => {
    const failureOf = async (call: Promise<unknown>) => partialFailure(await call.catch((thrown: unknown) => thrown));

    test("of a release that is not ready in its time", async () => {
      bench.chart.more = [neverReady];
      const { inputs } = await bench.plugin.check(RELEASE, release("late", { skipAwait: false }));
      const failed = await failureOf(bench.plugin.create(RELEASE, inputs, { timeout: 2 }));
      expect(failed).toMatchObject({ id: "default/late", outputs: { name: "late", status: { status: "failed", revision: 1 } } });
      expect(failed?.outputs["resourceNames"]).toEqual({ "ConfigMap/v1": ["late"], "Deployment.apps/apps/v1": ["never"] });
      expect(failed?.reasons[0]).toMatch(/^release default\/late is failed in revision 1: .*not ready after 2 s/);
      // The next run continues the release, and deletes objects that the chart no longer has.
      bench.chart.more = [];
      const state = { id: "default/late", inputs, outputs: failed?.outputs ?? {} };
      await bench.plugin.update(RELEASE, state, inputs);
      expect(await bench.records("late")).toEqual([
        [1, "superseded"],
        [2, "deployed"],
      ]);
      await bench.plugin.delete(RELEASE, state);
      expect(await bench.plugin.read(RELEASE, state)).toBeUndefined();
    });

    test("of a release that was cancelled", async () => {
      bench.chart.more = [neverReady];
      const { inputs } = await bench.plugin.check(RELEASE, release("cancelled", { skipAwait: false }));
      const failing = failureOf(bench.plugin.create(RELEASE, inputs));
      while ((await bench.records("cancelled")).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
      await bench.plugin.cancel();
      expect(await failing).toMatchObject({ id: "default/cancelled", reasons: [expect.stringContaining("the operation was cancelled")] });
    });

    test("of an atomic one: nothing at first, and the last good revision later", async () => {
      bench.chart.more = [neverReady];
      const atomic = { skipAwait: false, atomic: true };
      const { inputs } = await bench.plugin.check(RELEASE, release("atomic", atomic));
      expect(await failureOf(bench.plugin.create(RELEASE, inputs, { timeout: 1 }))).toBeUndefined();
      expect(await bench.records("atomic")).toEqual([]);
      bench.chart.more = [];
      const made = await bench.plugin.make(RELEASE, release("atomic", atomic));
      bench.chart.more = [neverReady];
      const news = (await bench.plugin.check(RELEASE, release("atomic", { ...atomic, values: { greeting: "worse" } }), made.inputs)).inputs;
      expect((await failureOf(bench.plugin.update(RELEASE, made, news, { timeout: 1 })))?.reasons[0]).toContain("is deployed in revision 3");
      expect(await bench.api.call("GET", "/api/v1/namespaces/default/configmaps/atomic")).toMatchObject({ data: { greeting: "hello" } });
      await bench.plugin.delete(RELEASE, made);
    });

    test("no more revisions than maxHistory", async () => {
      const made = await bench.plugin.make(RELEASE, release("history", { maxHistory: 2 }));
      for (const greeting of ["b", "c"])
        await bench.plugin.update(RELEASE, made, (await bench.plugin.check(RELEASE, release("history", { maxHistory: 2, values: { greeting } }))).inputs);
      expect(await bench.records("history")).toEqual([
        [2, "superseded"],
        [3, "deployed"],
      ]);
      await bench.plugin.delete(RELEASE, made);
    });
  });

  test("a release that somebody upgraded with other values shows in a refresh, and is mended", async () => {
    const made = await bench.plugin.make(RELEASE, release("drift"));
    const [record] = await revisions(bench.client, "default", "drift", NEVER);
    if (record === undefined) throw new Error("no record");
    await writeRecord(bench.client, { ...record, version: 2, config: { greeting: "DRIFT" } }, NEVER);
    const untouched = await bench.plugin.diff(RELEASE, made, made.inputs);
    const found = await bench.plugin.read(RELEASE, made);
    if (found === undefined) throw new Error("gone");
    expect([untouched.changes, (await bench.plugin.diff(RELEASE, found, made.inputs)).diffs]).toEqual(["none", ["values"]]);
    const mended = await bench.plugin.update(RELEASE, found, made.inputs);
    const again = await bench.plugin.read(RELEASE, mended);
    expect(again && (await bench.plugin.diff(RELEASE, again, made.inputs)).changes).toBe("none");
    await bench.plugin.delete(RELEASE, made);
  });
}
