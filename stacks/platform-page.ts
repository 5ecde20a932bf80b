/**
 * `node bin/stacks/platform-page.js --write` writes docs/platform.md from the catalogue and site/platform.md from the matrix; without
 * `--write` it prints both. Loads no Pulumi SDK.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { HomelabError } from "../common/errors";
import { projectRoot } from "../common/paths";
import { MODULES } from "../components/platform/catalogue";
import { fail } from "./child";
import { loadEstate } from "./load/estate";
import { planEstate } from "./plan/plan";
import { matrixPage, platformPage } from "./plan/platform-page";

/** Paths in the checkout: the page of the product, and the page of this homelab. */
export const [PAGE, OWN_PAGE] = ["docs/platform.md", "site/platform.md"] as const;

export const page = (): string => platformPage(MODULES);

export const ownPage = (): string =>
  matrixPage(
    MODULES,
    [...planEstate(loadEstate()).values()].map(({ platform }) => platform),
    `../${PAGE}`,
  );

if (require.main === module) {
  try {
    const words = process.argv.slice(2);
    const write = words[0] === "--write";
    if (words.length > (write ? 1 : 0))
      throw new HomelabError("E_USAGE", `"${words.join(" ")}" is no argument of platform-page`, { hint: "leave it out, or take: --write" });
    for (const [file, text] of [
      [PAGE, page()],
      [OWN_PAGE, ownPage()],
    ] as const)
      if (write) fs.writeFileSync(path.join(projectRoot(), file), text);
      else process.stdout.write(text);
  } catch (thrown) {
    fail(thrown);
  }
}
