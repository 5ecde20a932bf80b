/** The life of one resource type: created, read, changed by somebody else, corrected, imported, deleted. */
import type { Values } from "../../../../providers/sdk/values";
import type { State } from "../../../support/test-provider";
import type { DriftCase } from "../drift-cases";
import { MERGE } from "../under-test";
import type { Side } from "./bench";

/** With these annotations the provider waits for nothing and deletes without waiting for dependents, so no controllers are needed. */
export const UNAWAITED = { "pulumi.com/skipAwait": "true", "pulumi.com/deletionPropagationPolicy": "background" };
const FINALIZED = new Set(["Namespace", "PersistentVolumeClaim", "PersistentVolume"]);

/** The case's inputs with this side's name. */
function inputsOf(side: Side, kind: string, given: Values): { name: string; news: Values } {
  const metadata = (name: string, namespace: boolean) => ({
    ...(given["metadata"] as Values | undefined),
    name,
    annotations: UNAWAITED,
    ...(namespace ? { namespace: side.mark } : {}),
  });
  if (kind !== "CustomResourceDefinition") return { name: `it-${side.mark}`, news: { ...given, metadata: metadata(`it-${side.mark}`, true) } };
  const spec = { ...(given["spec"] as Values), group: `${side.mark}.example` };
  return { name: `things.${side.mark}.example`, news: { ...given, spec, metadata: metadata(`things.${side.mark}.example`, false) } };
}

const clusterWide = (path: string): boolean => !path.includes("/namespaces/");

export async function typeLife({ type: token, path, inputs: given, edit, shows }: DriftCase, side: Side): Promise<void> {
  const { plugin, record, api, mark } = side;
  const type = `kubernetes:${token}`;
  const kind = token.slice(token.indexOf(":") + 1);
  const { name, news: named } = inputsOf(side, kind, given);
  const { namespace: _namespace, ...withoutNamespace } = named["metadata"] as Values;
  const news = clusterWide(path) ? { ...named, metadata: withoutNamespace } : named;
  const objects = path.replace("/namespaces/default", `/namespaces/${mark}`);

  const checked = await record.step("check", plugin.check(type, news));
  if (checked === undefined) return;
  await record.step("check again", plugin.check(type, news, checked.inputs));
  await record.step("preview of create", plugin.create(type, checked.inputs, { preview: true }));
  const made = await record.step("create", plugin.create(type, checked.inputs));
  if (made === undefined) return;
  await record.step("diff without a change", plugin.diff(type, made, checked.inputs));
  const untouched = (await record.step("read", plugin.read(type, made))) as State | undefined;
  if (untouched === undefined) return;
  await record.step("diff after read", plugin.diff(type, untouched, checked.inputs));

  await api.call("PATCH", `${objects}/${name}`, edit, { manager: "kubectl-edit", type: MERGE });
  const drifted = (await record.step("read of drift", plugin.read(type, made))) as State | undefined;
  if (drifted === undefined) return;
  const seen = await record.step("diff of drift", plugin.diff(type, drifted, checked.inputs));
  await record.step("diff of ignored drift", plugin.diff(type, drifted, checked.inputs, [shows]));
  let mended: State | undefined = drifted;
  if (seen !== undefined && seen.replaces.length === 0) {
    await record.step("preview of update", plugin.update(type, drifted, checked.inputs, { preview: true }));
    mended = await record.step("update", plugin.update(type, drifted, checked.inputs));
    if (mended === undefined) return;
    await record.step("read after update", plugin.read(type, mended));
  }
  const id = clusterWide(path) ? name : `${mark}/${name}`;
  await record.step("import", plugin.read(type, { id, inputs: {}, outputs: {} }));
  if (FINALIZED.has(kind)) return;
  await record.step(
    "delete",
    plugin.delete(type, mended).then(() => undefined),
  );
  await record.step("read of what is gone", plugin.read(type, mended));
  await record.step(
    "delete again",
    plugin.delete(type, mended).then(() => undefined),
  );
}
