/** What a preview says of a change that may cut a node off. */
import { sameValue, type Value, type Values } from "../../sdk/values";
import { parseId, portsOf } from "./bridge-names";

/** Whether an interface's address is, or may be, one by which the node is reached. */
const carriesNode = (values: Values): boolean => ["address", "address6", "gateway", "gateway6"].some((key) => values[key] !== undefined && values[key] !== "");
const ADDRESSING = ["address", "gateway", "address6", "gateway6", "ports", "vlanAware", "autostart"];
const shown = (value: Value | undefined): string =>
  value === undefined
    ? "none"
    : Array.isArray(value)
      ? value.map(String).join(" ") || "none"
      : typeof value === "object"
        ? "a value not known yet"
        : String(value);

/** Values may be unknown. @param news empty: the bridge is deleted or replaced */
export function announce(id: string, olds: Values, news: Values): string[] {
  if (!carriesNode(olds)) return [];
  const { node, name } = parseId(id);
  const same = (key: string): boolean => (key === "ports" ? sameValue(portsOf(olds[key]), portsOf(news[key])) : sameValue(olds[key], news[key]));
  const isGiven = (key: string): boolean => news[key] !== undefined || (olds[key] !== undefined && key !== "vlanAware");
  const changes = ADDRESSING.filter((key) => isGiven(key) && !same(key));
  if (changes.length === 0) return [];
  const lines = changes.map((key) => `${key} ${shown(olds[key])} → ${shown(news[key])}`);
  return [`${name} carries an address of ${node}, which may become unreachable: ${lines.join(", ")}. Have its console at hand.`];
}
