/** A text as one word of a POSIX shell, whatever it holds. The only quoting in this project. */
export function quote(text: string): string {
  if (text.includes("\0")) throw new Error("a shell word cannot hold a NUL byte");
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
