/**
 * The homelab of the product's tests (tests/homelab) is a copy of this one, so that this one is rehearsed. An adopter replaces site/ with
 * this test in it; the product's tests stay.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { asInSite, HOMELAB } from "../../tests/support/homelab";

const ROOT = path.join(__dirname, "..", "..");
const OWN = /^site\/(tests\/|platform\.md$)/;

/** Relative paths of the settings, and of the files of site/ but its tests and its page. */
function filesOf(root: string): string[] {
  const settings = fs.readdirSync(root).filter((name) => /^Pulumi\..+\.yaml$/.test(name));
  const site = fs.readdirSync(path.join(root, "site"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = site.map(({ parentPath, name }) => path.relative(root, path.join(parentPath, name)).replaceAll(path.sep, "/"));
  return [...settings, ...names].filter((name) => !OWN.test(name)).toSorted();
}

test("both have the same files", () => {
  expect(filesOf(HOMELAB)).toEqual(filesOf(ROOT));
});

test.each(filesOf(ROOT))("%s is the same in both", (name) => {
  expect(asInSite(fs.readFileSync(path.join(HOMELAB, name), "utf8"))).toBe(fs.readFileSync(path.join(ROOT, name), "utf8"));
});
