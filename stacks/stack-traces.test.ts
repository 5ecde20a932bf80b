import { spawnSync } from "node:child_process";
import * as path from "node:path";

const ROOT = path.join(__dirname, "..");

/** What a process prints for an error of the SDK. @param then code that uses the error afterwards */
function shown(setUp: string, then: string): { status: number | null; stdout: string } {
  const program = `
    require("source-map-support/register");
    ${setUp}
    const pulumi = require("@pulumi/pulumi");
    try { new pulumi.Config("homelab").require("missing"); } catch (error) { process.stdout.write(error.stack); ${then} }`;
  const { status, stdout } = spawnSync(process.execPath, ["-e", program], { cwd: ROOT, encoding: "utf8", timeout: 100_000 });
  return { status, stdout };
}

test("an error of the SDK is shown with the file that Node runs, and inspecting it with colours ends", () => {
  const { status, stdout } = shown('require("./bin/stacks/stack-traces.js").useNativeStackTraces();', 'require("util").inspect(error, { colors: true });');
  expect(stdout).toContain("node_modules/@pulumi/pulumi/config.js:");
  expect(status).toBe(0);
});

test("without it the SDK's source maps name files that are not there", () => {
  expect(shown("", "").stdout).not.toContain("node_modules/@pulumi/pulumi/config.js:");
});
