/** The annotation `pulumi.com/waitFor`: a condition, a JSONPath, or a JSON list of them. */
import type { Json, JsonObject } from "../../sdk/values";
import { condition } from "./json";
import { type PathStep, parsePath, valueAt } from "./property-path";

type Expectation = { kind: "condition"; type: string; status: string } | { kind: "path"; text: string; steps: PathStep[]; value: string | undefined };

/** @throws Error with what is not understood */
function parseExpression(expression: string): Expectation {
  const named = /^condition=([^=]+)(?:=(.+))?$/.exec(expression);
  if (named !== null) return { kind: "condition", type: named[1] ?? "", status: named[2] ?? "True" };
  const path = /^jsonpath=\{?\.?([^{}=]+)\}?(?:=(.+))?$/.exec(expression);
  if (path === null) throw new Error(`expected a "jsonpath=" or "condition=" prefix, got ${JSON.stringify(expression)}`);
  const inner = (path[1] ?? "").replaceAll("['", '["').replaceAll("']", '"]');
  if (/[?@*]|\.\./.test(inner)) throw new Error(`the embedded provider knows paths of names and indices only, not ${JSON.stringify(expression)}`);
  return { kind: "path", text: inner, steps: parsePath(inner), value: path[2] };
}

function parse(annotation: string): Expectation[] {
  let expressions: unknown = annotation;
  try {
    const list: unknown = JSON.parse(annotation);
    if (Array.isArray(list)) expressions = list;
  } catch {
    // A single expression is no JSON.
  }
  const all = Array.isArray(expressions) ? expressions : [expressions];
  if (all.length === 0) throw new Error("at least one condition must be specified");
  return all.map((one) => parseExpression(String(one)));
}

/** What is wrong with the annotation; undefined: nothing. */
export function waitForComplaint(annotation: string): string | undefined {
  try {
    parse(annotation);
    return undefined;
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

const same = (value: Json, text: string): boolean => (typeof value === "string" ? value : JSON.stringify(value)).toLowerCase() === text.toLowerCase();

/** What an object still lacks; undefined: nothing. */
export function waitForState(object: JsonObject, annotation: string): string | undefined {
  for (const expectation of parse(annotation)) {
    if (expectation.kind === "condition") {
      const found = condition(object, expectation.type)?.["status"];
      if (found === undefined || !same(found, expectation.status)) return `its condition ${expectation.type} is ${String(found ?? "not set")}`;
      continue;
    }
    const found = valueAt(object, expectation.steps) as Json | undefined;
    if (found === undefined || (expectation.value !== undefined && !same(found, expectation.value)))
      return `${expectation.text} is ${found === undefined ? "not set" : JSON.stringify(found)}`;
  }
  return undefined;
}
