import * as fs from "node:fs";
import * as path from "node:path";
import { allCommands } from "./catalogue";
import { referencePage } from "./reference";

test("docs/cli.md is the reference page of the commands that there are: npx homelab help --markdown > docs/cli.md", () => {
  expect(fs.readFileSync(path.join(__dirname, "../../docs/cli.md"), "utf8")).toBe(referencePage(allCommands()));
});
