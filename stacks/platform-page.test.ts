import * as fs from "node:fs";
import * as path from "node:path";
import { projectRoot } from "../common/paths";
import { MODULES } from "../components/platform/catalogue";
import { PAGE, page } from "./platform-page";

test("docs/platform.md says what the catalogue says; `node bin/stacks/platform-page.js --write` writes it", () => {
  expect(fs.readFileSync(path.join(projectRoot(), PAGE), "utf8")).toBe(page());
});

test("it has a section for each module, and each option has a meaning", () => {
  const text = page();
  expect([...text.matchAll(/^### (.*)$/gm)].map(([, name]) => name)).toEqual(MODULES.map(({ name }) => name));
  expect(text).toContain('| `size` | string | `"10Gi"` | Size of its volume |');
  expect([...text.matchAll(/^\| `.*\|\s*\|$/gm)].map(([row]) => row)).toEqual([]);
});
