/** Commands of docs/ that name a resource of this homelab: it is registered under that name. */
import * as fs from "node:fs";
import * as path from "node:path";

const ROOT = path.join(__dirname, "../..");
const FIXTURES = path.join(__dirname, "program/fixtures");
const named = fs
  .readdirSync(path.join(ROOT, "docs"))
  .filter((file) => file.endsWith(".md"))
  .flatMap((file) => [...fs.readFileSync(path.join(ROOT, "docs", file), "utf8").matchAll(/--replace '(urn:pulumi:([a-z0-9-]+)::[^']+)'/g)])
  .map(([, urn = "", stack = ""]) => ({ urn, stack }));

test("docs/ says what to replace by name", () => {
  expect(named.map(({ urn }) => urn.split("::").at(-1)).toSorted()).toEqual(["k8s-dev-first-boot", "vault-set-up"]);
});

test.each(named)("$urn is registered", ({ urn, stack }) => {
  expect(fs.readFileSync(path.join(FIXTURES, `${stack}.json`), "utf8")).toContain(`"${urn}":{`);
});
