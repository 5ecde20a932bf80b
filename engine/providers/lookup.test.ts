import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { ProjectInfo } from "../contracts";
import { findPlugin } from "./lookup";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "lookup-"));
afterAll(() => fs.rmSync(folder, { recursive: true }));
const project = (providerPaths: ProjectInfo["providerPaths"]): ProjectInfo => ({
  ...{ name: "test", root: folder, programDir: folder, entryPoint: ".", runtimeOptions: {} },
  providerPaths,
});

test.each([["python"], ["go"], ["{name: dotnet}"]])("a plugin of the runtime %s is refused by name", (runtime) => {
  fs.writeFileSync(path.join(folder, "PulumiPlugin.yaml"), `runtime: ${runtime}\n`);
  const name = runtime.replace(/[{}]|name: /g, "");
  expect(() => findPlugin("other", undefined, project([{ name: "other", version: undefined, folder }]), folder)).toThrow(
    `PulumiPlugin.yaml: plugins of runtime ${name} are not supported by the embedded engine; the Pulumi CLI has them`,
  );
});

test("where there is no plugin, the message says where it was looked for and who can install it: this engine's own command refuses to", () => {
  expect(() => findPlugin("nobody", "1.2.3", project([]), "/plugins")).toThrow(
    "no plugin for package nobody at version 1.2.3 is installed: expected /plugins/resource-nobody-v1.2.3. The embedded engine downloads nothing; " +
      "install it with the Pulumi CLI: `pulumi plugin install resource nobody v1.2.3`",
  );
});
