/** How properties differ, and whether a plan allows that. Null counts as no value. */
import { SIGNATURE } from "../../common/signatures";
import { isObject, isUnknown, type PropertyMap, sameValue, secretValue, signatureOf, type Value } from "../wire/values";
import type { PlanDiff } from "./plan";

type Same = (a: Value, b: Value) => boolean;

const hasValue = (value: Value | undefined): value is Value => value !== undefined && value !== null;

/** Deep equality. @param unknown whether an unknown value is the same as another one */
function comparison(unknown: Same): Same {
  const same: Same = (a, b) => {
    if (isUnknown(a) || isUnknown(b)) return unknown(a, b);
    if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, at) => same(item, b[at] ?? null));
    if (!isObject(a) || !isObject(b)) return sameValue(a, b);
    const kind = signatureOf(a);
    if (kind !== signatureOf(b)) return false;
    if (kind === SIGNATURE.secret) return same(secretValue(a), secretValue(b));
    if (kind === SIGNATURE.asset || kind === SIGNATURE.archive) return sameValue(a["hash"], b["hash"]);
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => {
      const [x = null, y = null] = [a[key], b[key]];
      // An unknown value may turn out to be no value.
      return x === null && y === null ? true : same(x, y);
    });
  };
  return same;
}

const exactly = comparison((a, b) => isUnknown(a) && isUnknown(b));
const possibly = comparison(() => true);

function changes(olds: PropertyMap, news: PropertyMap, same: Same): PlanDiff {
  const diff: PlanDiff = { adds: {}, deletes: [], updates: {} };
  for (const key of new Set([...Object.keys(olds), ...Object.keys(news)])) {
    const [old, now] = [olds[key], news[key]];
    if (!hasValue(now)) {
      if (hasValue(old)) diff.deletes.push(key);
    } else if (!hasValue(old)) diff.adds[key] = now;
    else if (!same(old, now)) diff.updates[key] = now;
  }
  return diff;
}

/** @param olds undefined: the resource is new or replaced */
export const planDiffOf = (olds: PropertyMap | undefined, news: PropertyMap): PlanDiff => changes(olds ?? {}, news, exactly);

/** As Go prints a float64 by `%v`. */
function shownNumber(value: number): string {
  const [digits = "", power = "0"] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent >= -4 && (exponent < 6 || value === 0)) return String(value);
  return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** A value as the CLI prints it in these messages; but a secret never shows. */
function shown(value: Value): string {
  if (isUnknown(value)) return "output<string>{}";
  if (value === null) return "{<nil>}";
  if (typeof value === "number") return `{${shownNumber(value)}}`;
  if (Array.isArray(value)) return `{[${value.map(shown).join(" ")}]}`;
  if (!isObject(value)) return `{${value}}`;
  const kind = signatureOf(value);
  if (kind === SIGNATURE.secret) return "{[secret]}";
  if (kind === SIGNATURE.asset || kind === SIGNATURE.archive) return `{${String(value["hash"])}}`;
  const keys = Object.keys(value).sort();
  return `{map[${keys.map((key) => `${key}:${shown(value[key] ?? null)}`).join(" ")}]}`;
}

type Change = "+" | "~" | "-" | "=";

/** `=~name[{a}]`: the plan keeps the property, and it would change to `a`. `+-name[{a}]`: the plan adds `a`, and the property would be missing. */
function said(plan: PlanDiff, key: string, found: Change, actual?: Value): string {
  const expected = plan.adds[key] ?? plan.updates[key];
  const planned: Change = Object.hasOwn(plan.adds, key) ? "+" : Object.hasOwn(plan.updates, key) ? "~" : plan.deletes.includes(key) ? "-" : "=";
  const values = [expected, actual].flatMap((value) => (value === undefined ? [] : [shown(value)]));
  return `${planned}${found}${key}${values.length === 0 ? "" : `[${values.join("!=")}]`}`;
}

/** How one property deviates from the plan; undefined where it does not. A property may have its planned value already. */
function violation(key: string, now: Value | undefined, diff: PlanDiff, plan: PlanDiff): string | undefined {
  const allowed = (value: Value, planned: Value | undefined): boolean => planned !== undefined && possibly(planned, value);
  const [add, update] = [diff.adds[key], diff.updates[key]];
  const [plannedAdd, plannedUpdate] = [plan.adds[key], plan.updates[key]];
  // A planned addition may exist already; a planned change needs the property to exist.
  if (add !== undefined) return allowed(add, plannedAdd) ? undefined : said(plan, key, "+", add);
  if (update !== undefined) return allowed(update, plannedUpdate ?? plannedAdd) ? undefined : said(plan, key, "~", update);
  if (diff.deletes.includes(key)) {
    // A planned value that was unknown may turn out to be no value.
    const mayGo = plan.deletes.includes(key) || (plannedUpdate !== undefined && isUnknown(plannedUpdate));
    return mayGo ? undefined : said(plan, key, "-");
  }
  if (plan.deletes.includes(key)) return hasValue(now) ? said(plan, key, "=", now) : undefined;
  const planned = plannedUpdate ?? plannedAdd;
  if (planned === undefined) return undefined;
  if (now === undefined) return isUnknown(planned) ? undefined : said(plan, key, "-");
  return possibly(planned, now) ? undefined : said(plan, key, "=", now);
}

/** How properties deviate from the plan, in the CLI's words, sorted. */
export function violations(olds: PropertyMap, news: PropertyMap, plan: PlanDiff): string[] {
  const diff = changes(olds, news, possibly);
  const keys = new Set([diff, plan].flatMap(({ adds, deletes, updates }) => [...Object.keys(adds), ...deletes, ...Object.keys(updates)]));
  return [...keys].flatMap((key) => violation(key, news[key], diff, plan) ?? []).sort();
}
