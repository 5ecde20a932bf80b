/** Hooks of a chart: when they run, and which of their objects remain. */
import { partialFailure, type State } from "../../../support/test-provider";
import { MERGE } from "../under-test";
import { RELEASE, type ReleaseBench, release } from "./bench";

export function releaseHooks(bench: ReleaseBench): void {
  describe("hooks of the lab's charts", () => {
    const jobSpec = { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "busybox:1.36" }] } } };
    const hook = (name: string, events: string, more: Record<string, string> = {}) => ({
      ...{ apiVersion: "batch/v1", kind: "Job", spec: jobSpec },
      metadata: { name, annotations: { "helm.sh/hook": events, ...more } },
    });
    const jobs = "/apis/batch/v1/namespaces/default/jobs";
    const isThere = (path: string) =>
      bench.api.call("GET", path).then(
        () => true,
        () => false,
      );

    /** Completes or fails each job that appears, and records whether the release's own object existed then. */
    async function ending(name: string, work: Promise<unknown>, ends: "Complete" | "Failed" = "Complete"): Promise<{ seen: string[]; outcome: unknown }> {
      const seen: string[] = [];
      let over = false;
      const outcome = work
        .then(
          () => "done",
          (thrown: unknown) => partialFailure(thrown)?.reasons.join() ?? (thrown as Error).message,
        )
        .finally(() => {
          over = true;
        });
      while (!over) {
        const { items } = (await bench.api.call("GET", jobs)) as { items: { metadata: { name: string }; status?: { conditions?: unknown } }[] };
        for (const { metadata, status } of items) {
          if (status?.conditions !== undefined) continue;
          seen.push(`${metadata.name} ${(await isThere(`/api/v1/namespaces/default/configmaps/${name}`)) ? "with" : "without"} the object`);
          await bench.api.call(
            "PATCH",
            `${jobs}/${metadata.name}/status`,
            { status: { conditions: [{ type: ends, status: "True", reason: "Test" }] } },
            { type: MERGE },
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return { seen, outcome: await outcome };
    }

    test("run before and after an installation, an upgrade and a removal, by weight; their policies say what stays", async () => {
      bench.chart.more = [
        hook("b-first", "pre-install", { "helm.sh/hook-weight": "-5", "helm.sh/hook-delete-policy": "hook-succeeded" }),
        hook("a-second", "pre-install,pre-upgrade"),
        hook("after", "post-install", { "helm.sh/hook-weight": "1" }),
        hook("leaving", "pre-delete", { "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded" }),
        hook("a-test", "test"),
      ];
      const { inputs } = await bench.plugin.check(RELEASE, release("hooked"));
      let state: State | undefined;
      const creation = bench.plugin.create(RELEASE, inputs).then((made) => {
        state = made;
      });
      expect(await ending("hooked", creation)).toEqual({
        seen: ["b-first without the object", "a-second without the object", "after with the object"],
        outcome: "done",
      });
      expect(await Promise.all(["b-first", "a-second", "after", "a-test"].map((name) => isThere(`${jobs}/${name}`)))).toEqual([false, true, true, false]);
      if (state === undefined) throw new Error("not made");
      const next = (await bench.plugin.check(RELEASE, release("hooked", { values: { greeting: "again" } }), inputs)).inputs;
      // The existing job is deleted before the hook runs again: else the new job would not run.
      expect(await ending("hooked", bench.plugin.update(RELEASE, state, next))).toEqual({ seen: ["a-second with the object"], outcome: "done" });
      expect(await ending("hooked", bench.plugin.delete(RELEASE, state))).toEqual({ seen: ["leaving with the object"], outcome: "done" });
      expect(await Promise.all(["leaving", "after"].map((name) => isThere(`${jobs}/${name}`)))).toEqual([false, true]);
      for (const name of ["a-second", "after"]) await bench.api.call("DELETE", `${jobs}/${name}?propagationPolicy=Background`);
    });

    test("hooks that the lab's Helm returns apart from the objects run as well", async () => {
      bench.chart.hooks = [{ manifest: hook("apart", "post-install"), events: ["post-install"], weight: 0, deletePolicies: [] }];
      const { inputs } = await bench.plugin.check(RELEASE, release("parted"));
      expect(await ending("parted", bench.plugin.create(RELEASE, inputs))).toEqual({ seen: ["apart with the object"], outcome: "done" });
      await bench.api.call("DELETE", `${jobs}/apart?propagationPolicy=Background`);
    });

    test("one that fails fails the release, which is on record as failed; the objects after it are not made", async () => {
      bench.chart.more = [hook("fails", "pre-install", { "helm.sh/hook-delete-policy": "hook-failed" })];
      const { inputs } = await bench.plugin.check(RELEASE, release("unhooked"));
      const { seen, outcome } = await ending("unhooked", bench.plugin.create(RELEASE, inputs), "Failed");
      expect(seen).toEqual(["fails without the object"]);
      expect(outcome).toContain("release unhooked: pre-install hook Job fails: the job failed: Test");
      expect(await bench.records("unhooked")).toEqual([[1, "failed"]]);
      expect([await isThere("/api/v1/namespaces/default/configmaps/unhooked"), await isThere(`${jobs}/fails`)]).toEqual([false, false]);
    });

    test("disableWebhooks leaves them out", async () => {
      bench.chart.more = [hook("never", "pre-install,pre-delete")];
      const { inputs } = await bench.plugin.check(RELEASE, release("quiet", { disableWebhooks: true }));
      const state = await bench.plugin.create(RELEASE, inputs);
      await bench.plugin.delete(RELEASE, state);
      expect(await isThere(`${jobs}/never`)).toBe(false);
    });
  });
}
