/** No test is skipped without a reason, which the closing lines of a run give. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const { SOURCE_FOLDERS } = require("../build/source-folders.cjs") as { SOURCE_FOLDERS: string[] };
const root = path.join(__dirname, "..");
const HELPER = "tests/support/skips.ts";
/** Each way in which Jest leaves out a test, without the words of a comment or of a title. */
const SKIPS =
  /\b(?:test|it|describe)(?:\.\w+)*\.(?:skip|todo)\b|\b(?:xit|xtest|xdescribe|fit|fdescribe)(?:\(|\.each\b)|\b(?:test|it|describe)\.only\b|\["(?:skip|todo)"\]/g;

const sources = [...SOURCE_FOLDERS, "tests"].flatMap((folder) =>
  fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .map((file) => path.posix.join(folder, file.replaceAll(path.sep, "/")))
    .filter((file) => /\.[cm]?[jt]s$/.test(file) && !file.includes("/fixtures/")),
);

test(`only ${HELPER} skips tests, and it wants a reason`, () => {
  const own = "tests/skips.test.ts";
  const found = sources.filter((file) => file !== own && (fs.readFileSync(path.join(root, file), "utf8").match(SKIPS) ?? []).length > 0);
  expect(found).toEqual([HELPER]);
});

test.each(["test.skip(", "(can ? test : it.skip)(", "describe.skip.each([", "test.concurrent.skip(", "xit(", "test.todo(", "it.only("])(
  "the search sees %s",
  (code) => expect(code.match(SKIPS)).toHaveLength(1),
);

test("what is skipped is counted by its reason: single tests, rows of a table, groups", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-skips-"));
  try {
    fs.writeFileSync(
      path.join(folder, "sample.ts"),
      `import { describeWhere, skippedByName, testWhere } from ${JSON.stringify(path.join(root, HELPER))};
for (const can of [true, false]) {
  testWhere(can, "no shell")("alone", () => undefined);
  testWhere(can, "no shell").each([[1], [2]])("row %d", (row) => expect(row).toBeGreaterThan(0));
  describeWhere(can, "no lab")("group", () => test.each([1, 2])("%d", () => undefined));
}
skippedByName("long", "asked for by LONG=1");
`,
    );
    const config = path.join(folder, "jest.config.cjs");
    fs.writeFileSync(
      config,
      `const { globalSetup, ...all } = require(${JSON.stringify(path.join(root, "jest.config.cjs"))});
module.exports = { ...all, rootDir: ${JSON.stringify(root)}, roots: [${JSON.stringify(folder)}], testMatch: ["**/sample.ts"] };`,
    );
    const env = { ...process.env, HOMELAB_TEST_TOTALS: "" };
    const { stdout, stderr } = spawnSync(process.execPath, [path.join(root, "node_modules/jest/bin/jest.js"), "--runInBand", "--config", config], {
      cwd: root,
      env,
      encoding: "utf8",
    });
    const said = stdout.split("\n").filter((line) => /^skipped |passed, /.test(line));
    expect([said, stderr]).toEqual([
      ["skipped 3 tests: no shell", "skipped 2 tests: no lab", "skipped 1 test: asked for by LONG=1", "5 passed, 0 failed, 6 skipped"],
      expect.stringContaining("PASS"),
    ]);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
