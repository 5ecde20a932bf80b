/** When an object counts as ready, judged by its status. No controllers run: the test writes the status itself. */
import type { Values } from "../../../../providers/sdk/values";
import { partialFailure, type State } from "../../../support/test-provider";
import { MERGE } from "../under-test";
import type { Case, Side } from "./bench";
import { ENOUGH, jobSpec, LIMIT, type Waited } from "./waited";
import { WAITED_OTHERS } from "./waited-others";
import { WAITED_WORKLOADS } from "./waited-workloads";

const background = { "pulumi.com/deletionPropagationPolicy": "background" };
const metadata = (side: Side, name: string, annotations: Values = {}): Values => ({
  name,
  namespace: side.mark,
  annotations: { ...background, ...annotations },
});

/** Polls twice a second only: all cases run at once, and more polling would be most of the API's load. */
async function untilThere(side: Side, path: string): Promise<void> {
  for (const deadline = Date.now() + ENOUGH * 1000; Date.now() < deadline; ) {
    const found = await side.api.call("GET", path).catch(() => undefined);
    if (found !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`${path} did not come`);
}

/** Records how a wait ended and what the state keeps. The status is left out: what it holds depends on the moment. */
async function outcome(side: Side, step: string, work: Promise<State | undefined>): Promise<State | undefined> {
  const kept = (how: string, { id, outputs }: Pick<State, "id" | "outputs">): void =>
    side.record.note(step, { how, id, inputs: outputs["__inputs"] ?? "<none>" });
  try {
    const state = await work;
    if (state !== undefined) kept("ready", state);
    return state;
  } catch (thrown) {
    const partial = partialFailure(thrown);
    if (partial === undefined) throw thrown;
    kept("not ready", partial);
    side.record.errors.push(`${step}: ${partial.reasons.join("; ")}`);
    return { inputs: {}, ...partial };
  }
}

const caseOf = ({ title, type: token, path: [group, plural], spec, more, annotations, status, timeout = ENOUGH }: Waited, i: number): Case => ({
  title,
  async run(side) {
    const { plugin, api, mark } = side;
    const type = `kubernetes:${token}`;
    const name = `wait-${i}`;
    const { inputs } = await plugin.check(type, { metadata: metadata(side, name, annotations), ...(spec === undefined ? {} : { spec }), ...more });
    const creation = plugin.create(type, inputs, { timeout: annotations?.["pulumi.com/timeoutSeconds"] === undefined ? timeout : 0 });
    // outcome() handles a failure below; until then a rejection is not an unhandled one.
    creation.catch(() => undefined);
    const path = `/${group}/namespaces/${mark}/${plural}/${name}`;
    if (status !== undefined) {
      await untilThere(side, path);
      await api.call("PATCH", `${path}/status`, { status }, { manager: "controller", type: MERGE });
    }
    const made = await outcome(side, "create", creation);
    if (made !== undefined) await outcome(side, "read", plugin.read(type, { id: made.id, inputs, outputs: made.outputs }));
  },
});

export const WAIT_CASES: Case[] = [
  ...[...WAITED_WORKLOADS, ...WAITED_OTHERS].map(caseOf),
  {
    title: "a cancelled wait",
    async run(side) {
      const plugin = await side.start({});
      try {
        const { inputs } = await plugin.check("kubernetes:batch/v1:Job", { metadata: metadata(side, "cancelled"), spec: jobSpec });
        const creation = plugin.create("kubernetes:batch/v1:Job", inputs, { timeout: 60 });
        creation.catch(() => undefined);
        await untilThere(side, `/apis/batch/v1/namespaces/${side.mark}/jobs/cancelled`);
        await plugin.cancel();
        await outcome(side, "create", creation);
      } finally {
        await plugin.close();
      }
    },
  },
  {
    title: "a deletion that a finalizer holds",
    async run(side) {
      const { plugin, record, api } = side;
      const type = "kubernetes:core/v1:ConfigMap";
      const made = await plugin.make(type, { metadata: { ...metadata(side, "held"), finalizers: ["example.com/held"] }, data: {} });
      await record.step(
        "delete",
        plugin.delete(type, made, { timeout: LIMIT }).then(() => undefined),
      );
      await api.call("PATCH", `/api/v1/namespaces/${side.mark}/configmaps/held`, { metadata: { finalizers: null } }, { type: MERGE });
    },
  },
  {
    title: "a job that is to be made anew until it is done",
    async run(side) {
      const { plugin, record } = side;
      const type = "kubernetes:batch/v1:Job";
      const news = { metadata: metadata(side, "anew", { "pulumi.com/skipAwait": "true", "pulumi.com/replaceUnready": "true" }), spec: jobSpec };
      const made = await plugin.make(type, news);
      await record.step("diff", plugin.diff(type, made, made.inputs));
    },
  },
];
