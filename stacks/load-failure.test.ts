import * as path from "node:path";
import { HomelabError } from "../common/errors";
import { loadFailure } from "./load-failure";

const thrownAt = (file: string): Error =>
  Object.assign(new Error("boom"), { stack: `Error: boom\n    at Object.<anonymous> (${path.join(__dirname, "..", file)}:3:1)` });

test("what the site's own files throw is told by their name", () => {
  expect(loadFailure(thrownAt("site/apps/shop.js"))).toMatchObject({
    code: "E_PROGRAM_FILE",
    message: "site/apps/shop.ts: boom",
    subject: "site/apps/shop.ts",
  });
});

test("an error of ours stays what it is; what the product throws is a bug, and so is what nobody can place", () => {
  const own = new HomelabError("E_SITE", "x");
  expect(loadFailure(own)).toBe(own);
  for (const thrown of [thrownAt("stacks/plan/plan.js"), thrownAt("../elsewhere/site/a.js"), new TypeError("x")]) expect(loadFailure(thrown)).toBeUndefined();
});

test.each([
  ["text", "'text'"],
  [undefined, "undefined"],
  [{ code: 3 }, "{ code: 3 }"],
])("of %p, which is no error, no file is known, and the message says so", (thrown, shown) => {
  expect(loadFailure(thrown)).toMatchObject({
    code: "E_PROGRAM_FILE",
    message: `a file of site/ throws ${shown}, which is no Error: nothing tells which file`,
    hint: expect.stringContaining("`git diff site/`"),
  });
});
