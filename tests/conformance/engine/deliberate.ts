/** Deliberate differences between the embedded engine and the recorded CLI (docs/engine.md, "How it differs"), as changes of recorded steps. */
import type { RecordedStep } from "./recorded-case";

type Expected = RecordedStep["expect"];
type Ours = (expected: Expected) => Expected;

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** A resource that an interrupted delete-before-replace has deleted already is not deleted again. */
const notDeletedAgain =
  (...ids: string[]): Ours =>
  (expected) => {
    const calls = Array.isArray(expected["calls"]) ? expected["calls"] : [];
    return { ...expected, calls: calls.filter((call) => !(isRecord(call) && call["method"] === "Delete" && ids.includes(String(call["id"])))) };
  };

/** A creation that ended as UNAVAILABLE may have made something: it stays pending until somebody says what became of it. */
const PENDING = {
  resource: {
    custom: true,
    inputs: { fail: "UNAVAILABLE", name: "a" },
    parent: "pulumi:pulumi:Stack::conf-dev",
    propertyDependencies: { fail: [], name: [] },
    provider: "pulumi:providers:exp::default::<uuid default 1>",
    type: "exp:index:Res",
    urn: "exp:index:Res::a",
  },
  type: "creating",
};
const staysPending: Ours = (expected) => ({ ...expected, state: { ...(isRecord(expected["state"]) ? expected["state"] : {}), pending_operations: [PENDING] } });

const SIGNATURE = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

/** A property that is secret in the program stays secret, although a refresh reads it in the clear: here `s` of resource `a`. */
const staysSecret: Ours = (expected) => {
  const mark = (holder: unknown, key: string, secret: (value: unknown) => object): void => {
    const found = isRecord(holder) ? holder[key] : undefined;
    if (isRecord(found)) found["s"] = secret(found["s"]);
  };
  const ofA = (list: unknown): unknown[] => (Array.isArray(list) ? list.filter((entry) => isRecord(entry) && entry["urn"] === "exp:index:Res::a") : []);
  const ours = structuredClone(expected);
  for (const call of ofA(ours["calls"])) if (isRecord(call) && call["method"] === "Diff") mark(call, "oldInputs", (value) => ({ ...SIGNATURE, value }));
  for (const resource of ofA(isRecord(ours["state"]) ? ours["state"]["resources"] : []))
    for (const key of ["inputs", "outputs"]) mark(resource, key, (value) => ({ ...SIGNATURE, plaintext: JSON.stringify(value) }));
  return ours;
};

/** By case; of a case, all steps or some, from 0. */
const DELIBERATE: Readonly<Record<string, Ours | Readonly<Record<number, Ours>>>> = {
  "error-codes": staysPending,
  "refresh-secrets": { 1: staysSecret },
  "continue-on-error-delete-first": { 2: notDeletedAgain("id-b-1", "id-c-1") },
  "deleting-first-create-fails": { 2: notDeletedAgain("id-b-1", "id-c-1") },
  "deleting-first-delete-fails": { 2: notDeletedAgain("id-c-1") },
};

/** What the embedded engine must answer in a step of a case. */
export function expectedOf(name: string, step: number, recorded: Expected): Expected {
  const differs = DELIBERATE[name];
  const ours = typeof differs === "function" ? differs : differs?.[step];
  return ours === undefined ? recorded : ours(recorded);
}
