/**
 * `node bin/stacks/platform-page.js --write` writes docs/platform.md from the catalogue and the matrix; without `--write` it prints the
 * page. Loads no Pulumi SDK.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { projectRoot } from "../common/paths";
import { MODULES } from "../components/platform/catalogue";
import { fail } from "./child";
import { loadEstate } from "./load/estate";
import { planEstate } from "./plan/plan";
import { platformPage } from "./plan/platform-page";

export const PAGE = "docs/platform.md";

export const page = (): string =>
  platformPage(
    MODULES,
    [...planEstate(loadEstate()).values()].map(({ platform }) => platform),
  );

if (require.main === module) {
  try {
    if (process.argv.includes("--write")) fs.writeFileSync(path.join(projectRoot(), PAGE), page());
    else process.stdout.write(page());
  } catch (thrown) {
    fail(thrown);
  }
}
