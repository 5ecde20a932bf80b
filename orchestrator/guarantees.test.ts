/** docs/guarantees.md names, for each promise, a test that is there. */
import * as fs from "node:fs";
import * as path from "node:path";

const ROOT = path.join(__dirname, "..");
const rows = fs
  .readFileSync(path.join(ROOT, "docs/guarantees.md"), "utf8")
  .split("\n")
  .flatMap((line): [promise: string, file: string, title: string][] => {
    const [, promise, file, title] = /^\| (.+) \| `([^`]+)` \| (.+) \|$/.exec(line) ?? [];
    return promise === undefined || file === undefined || title === undefined ? [] : [[promise, file, title]];
  });

test("there are promises", () => {
  expect(rows.length).toBeGreaterThan(15);
});

test.each(rows)("%s", (_, file, title) => {
  const titles = [
    ...fs.readFileSync(path.join(ROOT, file), "utf8").matchAll(/\b(?:test|it|linux|openssl|told|describe)(?:\.\w+\([^)]*\))?\(\s*"((?:[^"\\]|\\.)*)"/g),
  ].map(([, text]) => text);
  expect(titles).toContain(title);
});
