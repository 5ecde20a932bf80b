/** The messages for an input or a setting that a provider does not support, for every resource type. */
import { nearest } from "../../common/nearest";

/** @param known the names that are supported in this place */
export function notKnown(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  const hint = meant === undefined || meant === name ? "" : `: did you mean \`${meant}\`?`;
  return `the embedded provider does not support this property${hint === "" ? "; the official plugin may" : hint}`;
}

/** The message for an input that the official provider has and this one does not implement. */
export const notHere = (reason?: string): string =>
  `the embedded provider does not have it${reason === undefined ? "" : ` (${reason})`}; the official plugin has`;
