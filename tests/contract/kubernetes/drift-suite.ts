/** For each type: a refresh sees what somebody changed outside Pulumi, and the next update corrects it. */
import { provider } from "../../../providers/kubernetes/provider";
import type { Values } from "../../../providers/sdk/values";
import { type State, TestProvider } from "../../support/test-provider";
import { DRIFT_CASES, GADGET } from "./drift-cases";
import { type KubernetesUnderTest, MERGE } from "./under-test";

/** With these annotations the provider waits for nothing and deletes without waiting for dependents, so no controllers are needed. */
const UNAWAITED = { "pulumi.com/skipAwait": "true", "pulumi.com/deletionPropagationPolicy": "background" };
/** Finalizers keep these until a controller removes them. */
const FINALIZED = new Set(["Namespace", "PersistentVolumeClaim", "PersistentVolume"]);

export function driftSuite(start: () => Promise<KubernetesUnderTest>): void {
  let api: KubernetesUnderTest;
  let plugin: TestProvider;

  beforeAll(async () => {
    api = await start();
    plugin = await TestProvider.start(provider, { kubeconfig: api.kubeconfig });
    await plugin.make("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", GADGET);
  });
  afterAll(async () => {
    await plugin.close();
    await api.stop();
    expect(api.unhandled()).toEqual([]);
  });

  test.each(DRIFT_CASES)("$type", async ({ type: token, path, inputs: given, edit, shows }) => {
    const type = `kubernetes:${token}`;
    const kind = token.slice(token.indexOf(":") + 1);
    const name = kind === "CustomResourceDefinition" ? "things.drift.example" : "it";
    const metadata = { ...(given["metadata"] as object | undefined), name, annotations: UNAWAITED };
    const { inputs, failures } = await plugin.check(type, { ...given, metadata });
    expect(failures).toEqual([]);
    const made = await plugin.create(type, inputs);
    const same = async (state: State) => expect([kind, await plugin.diff(type, state, inputs)]).toMatchObject([kind, { changes: "none" }]);
    const read = async (state: State): Promise<State> => {
      const found = await plugin.read(type, state);
      if (found === undefined) throw new Error(`${type} is gone`);
      return found;
    };
    await same(made);
    // A refresh of an unchanged object gives the same inputs.
    const untouched = await read(made);
    expect(untouched.id).toBe(made.id);
    await same(untouched);

    await api.call("PATCH", `${path}/${name}`, edit, { manager: "kubectl-edit", type: MERGE });
    const drifted = await read(made);
    expect(drifted.inputs).not.toEqual(untouched.inputs);
    const seen = await plugin.diff(type, drifted, inputs);
    expect(Object.keys(seen.detailed).join(" ")).toContain(shows);

    let mended: State;
    if (seen.replaces.length > 0) {
      expect(seen.deleteBeforeReplace).toBe(true);
      await plugin.delete(type, drifted);
      mended = await plugin.create(type, inputs);
    } else mended = await plugin.update(type, drifted, inputs);
    await same(mended);
    await same(await read(mended));
    if (FINALIZED.has(kind)) return;
    await plugin.delete(type, mended);
    expect(await plugin.read(type, mended)).toBeUndefined();
  });
  // The definition of Gadget keeps unknown fields.
  test.each(DRIFT_CASES.filter(({ type }) => !type.startsWith("example.com/")))("$type: a misspelt field is an error that names it", async (row) => {
    const { type: token, path, inputs: given } = row;
    const name = token.endsWith(":CustomResourceDefinition") ? "things.drift.example" : "misspelt";
    const metadata = { ...(given["metadata"] as object | undefined), name, annotations: UNAWAITED };
    const spec = given["spec"] as object | undefined;
    const misspelt: Values[] = [
      { ...given, metadata, naem: "x" },
      { ...given, metadata: { ...metadata, labls: {} } },
    ];
    if (spec !== undefined) misspelt.push({ ...given, metadata, spec: { ...spec, replcas: 1 } });
    for (const [at, wrong] of misspelt.entries()) {
      const { inputs } = await plugin.check(`kubernetes:${token}`, wrong);
      const details = expect.stringContaining(["naem", "labls", "replcas"][at] ?? "");
      await expect(plugin.create(`kubernetes:${token}`, inputs)).rejects.toMatchObject({ details });
    }
    await expect(api.call("GET", `${path}/${name}`)).rejects.toThrow("404");
  });
}
