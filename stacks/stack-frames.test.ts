import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { repairStack } from "./stack-frames";

const STACK =
  "Error: boom\n    at f (/w/node_modules/@pulumi/output.ts:516:31)\n    at /w/node_modules/@pulumi/pulumi/resource.js:1:2\n    at /w/bin/stacks/index.js:3:4";

test("only frames directly below a scope are changed", () => {
  expect(repairStack(STACK)).toBe(STACK.replace("@pulumi/output.ts", "@pulumi/pulumi/output.ts"));
});

test("an uncaught error with such frames is inspected with colours, and the process ends", () => {
  const program = `
    require(${JSON.stringify(path.join(__dirname, "../bin/stacks/stack-frames.js"))}).guardUncaughtErrors();
    process.on("unhandledRejection", (error) => { process.stdout.write(require("util").inspect(error, { colors: true }).split("\\n")[0]); process.exit(3); });
    const cause = new Error("cause"); cause.stack = ${JSON.stringify(STACK)};
    const error = new Error("boom", { cause }); error.stack = ${JSON.stringify(STACK)};
    Promise.reject(error);`;
  const result = spawnSync(process.execPath, ["-e", program], { encoding: "utf8", timeout: 20_000 });
  expect([result.status, result.stdout]).toEqual([3, "Error: boom"]);
});
