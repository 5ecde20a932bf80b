/** A change that Kubernetes refuses: named at preview, with the step that replaces the object. */
import { UNKNOWN } from "../../../../providers/sdk/values";
import { NEVER, RELEASE, type ReleaseBench, release } from "./bench";

export function releaseRefusals(bench: ReleaseBench): void {
  describe("a change that Kubernetes refuses", () => {
    const set = (storage: string) => ({
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "kept" },
      spec: {
        serviceName: "kept",
        selector: { matchLabels: { a: "kept" } },
        template: { metadata: { labels: { a: "kept" } }, spec: { containers: [{ name: "c", image: "c:1" }] } },
        volumeClaimTemplates: [{ metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } } }],
      },
    });

    test("is refused at preview with the step that replaces it, and nothing is changed; what was taken away is made anew", async () => {
      bench.chart.more = [set("1Gi")];
      const state = await bench.plugin.create(RELEASE, release("kept"));
      const before = await bench.records("kept");
      bench.chart.more = [set("2Gi")];
      const larger = release("kept", { values: { greeting: "larger" } });
      await expect(bench.plugin.update(RELEASE, state, larger, { preview: true })).rejects.toThrow(
        /release default\/kept: Kubernetes refuses to change immutable fields: StatefulSet kept: size of the volume data: 1Gi → 2Gi[\s\S]*kubectl -n default delete statefulset kept --cascade=orphan/,
      );
      expect(await bench.records("kept")).toEqual(before);
      await bench.client.delete({ apiVersion: "apps/v1", kind: "StatefulSet", namespace: "default", name: "kept" }, "Orphan", NEVER);
      const planned = await bench.plugin.update(RELEASE, state, larger, { preview: true });
      expect(planned.outputs["name"]).toBe("kept");
      await bench.plugin.update(RELEASE, state, larger);
      expect((await bench.records("kept")).at(-1)).toEqual([2, "deployed"]);
    });

    test("unknown values are not refused", async () => {
      bench.chart.more = [];
      const state = await bench.plugin.create(RELEASE, release("open"));
      const { outputs } = await bench.plugin.update(RELEASE, state, release("open", { values: { greeting: UNKNOWN } }), { preview: true });
      expect([outputs["status"], outputs["resourceNames"]]).toEqual([UNKNOWN, UNKNOWN]);
    });
  });
}
