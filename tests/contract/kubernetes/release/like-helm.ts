/** What a release does in the same way as `helm`: the chart's definitions, the policy to keep an object, a release whose run was cut. */
import { revisions, writeRecord } from "../../../../providers/kubernetes/helm/record";
import { MERGE } from "../under-test";
import { NEVER, RELEASE, type ReleaseBench, release } from "./bench";

export function releaseLikeHelm(bench: ReleaseBench): void {
  describe("as helm has it", () => {
    const definition = (name: string, served: boolean, more: Record<string, string> = {}) => ({
      ...{ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: { name: `${name}s.example.org`, annotations: more } },
      spec: {
        ...{ group: "example.org", scope: "Namespaced", names: { kind: name, plural: `${name}s` } },
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", ...(served ? { description: "new" } : {}) } } }],
      },
    });
    const pathOf = (name: string): string => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}s.example.org`;
    const live = (name: string) => bench.api.call("GET", pathOf(name));

    /** Marks definitions as established, as a controller does, until the work is done. */
    async function establishing<T>(names: string[], work: Promise<T>): Promise<T> {
      let over = false;
      const ended = work.finally(() => {
        over = true;
      });
      ended.catch(() => undefined);
      while (!over) {
        for (const name of names)
          await bench.api
            .call(
              "PATCH",
              `${pathOf(name)}/status`,
              {
                status: {
                  conditions: [
                    { type: "Established", status: "True" },
                    { type: "NamesAccepted", status: "True" },
                  ],
                },
              },
              { type: MERGE },
            )
            .catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return ended;
    }

    test("a chart is rendered for the version of the cluster's Kubernetes", async () => {
      const made = await bench.plugin.make(RELEASE, release("versioned"));
      expect(bench.asked().kubeVersion).toBe(((await bench.api.call("GET", "/version")) as { gitVersion: string }).gitVersion);
      await bench.plugin.delete(RELEASE, made);
    });

    test("what lies in a chart's crds/ comes with the first revision, and no later one changes or removes it", async () => {
      bench.chart.crds = [definition("lasting", false)];
      const made = await establishing(["lasting"], bench.plugin.make(RELEASE, release("defining")));
      const before = JSON.stringify((await live("lasting"))["spec"]);
      bench.chart.crds = [definition("lasting", true)];
      const news = (await bench.plugin.check(RELEASE, release("defining", { values: { greeting: "b" } }), made.inputs)).inputs;
      await bench.plugin.update(RELEASE, made, news);
      await bench.plugin.delete(RELEASE, made);
      expect(JSON.stringify((await live("lasting"))["spec"])).toBe(before);
    });

    test("an object with the policy to keep it outlives its release; a definition among the templates does not", async () => {
      bench.chart.more = [definition("kept", false, { "helm.sh/resource-policy": "keep" }), definition("gone", false)];
      const made = await establishing(["kept", "gone"], bench.plugin.make(RELEASE, release("keeping")));
      await bench.plugin.delete(RELEASE, made);
      expect(await live("kept")).toMatchObject({ kind: "CustomResourceDefinition" });
      await expect(live("gone")).rejects.toThrow("404");
    });

    test.each(["pending-install", "pending-upgrade", "pending-rollback", "uninstalling"])(
      "a release that a cut run left as %s is continued",
      async (status) => {
        const name = `cut-${status}`;
        const { inputs } = await bench.plugin.check(RELEASE, release(name));
        const made = await bench.plugin.create(RELEASE, inputs);
        const [record] = await revisions(bench.client, "default", name, NEVER);
        if (record === undefined) throw new Error("no record");
        await writeRecord(bench.client, { ...record, info: { ...record.info, status } }, NEVER);
        await bench.plugin.create(RELEASE, inputs);
        expect(await bench.records(name)).toEqual([
          [1, "superseded"],
          [2, "deployed"],
        ]);
        await bench.plugin.delete(RELEASE, made);
      },
    );
  });
}
