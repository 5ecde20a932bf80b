import { readEnv } from "../../common/env";

/** Paints a text with an ANSI colour number; 0 = as it is. */
export type Paint = (text: string, colour: number) => string;

/** @param wish `--color`: auto (a terminal, unless NO_COLOR is set), always, or never and raw, which both leave texts as they are */
export function colours(wish = "auto"): Paint {
  const on = wish === "always" || (wish === "auto" && process.stdout.isTTY === true && readEnv("NO_COLOR") === undefined);
  return (text, colour) => (on && colour !== 0 ? `\x1b[${colour}m${text}\x1b[0m` : text);
}
