// Figures as text. Not every system tells processor time and memory: what it does not tell is left out of a line, and named once.
import { childrenCpu } from "./children-cpu.cjs";

/** `text` of a figure, or "" where it was not measured. @param text gets the figure */
export const shown = (figure, text) => (figure === undefined ? "" : text(figure));

/** A figure with a fixed number of digits, on the right of `width`. */
export const fixed = (figure, digits, width = 0) => figure.toFixed(digits).padStart(width);

/** `a / b`, `a - b`; undefined where one of them was not measured. */
export const ratio = (a, b) => (a === undefined || b === undefined ? undefined : a / b);
export const difference = (a, b) => (a === undefined || b === undefined ? undefined : a - b);
/** @returns undefined where none was measured */
export const sum = (figures) => (figures.includes(undefined) ? undefined : figures.reduce((total, figure) => total + figure, 0));

/** To be called once, before the first figure. */
export function sayWhatIsLeftOut() {
  if (childrenCpu() === undefined) console.log("processor time and memory are left out: this system has no /proc, which tells them on Linux");
}
