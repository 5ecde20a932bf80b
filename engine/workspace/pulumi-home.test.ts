import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { CliError } from "../errors";
import { currentLogin } from "./pulumi-home";

test("a damaged file of the user is an error that names it, and no bug of ours", () => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "pulumi-home-"));
  process.env["PULUMI_HOME"] = home;
  try {
    fs.writeFileSync(path.join(home, "credentials.json"), '{"current": "file:');
    expect(currentLogin).toThrow(CliError);
    expect(currentLogin).toThrow(`${path.join(home, "credentials.json")} cannot be read`);
  } finally {
    delete process.env["PULUMI_HOME"];
    fs.rmSync(home, { recursive: true });
  }
});
