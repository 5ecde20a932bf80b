import * as fs from "node:fs";
import * as path from "node:path";
import { projectRoot } from "../../common/paths";
import { OWN_PAGE, ownPage } from "../../stacks/platform-page";

test("site/platform.md says what the matrix says; `node bin/stacks/platform-page.js --write` writes it", () => {
  expect(fs.readFileSync(path.join(projectRoot(), OWN_PAGE), "utf8")).toBe(ownPage());
});
