import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import * as pulumi from "@pulumi/pulumi";
import { registeredOf } from "../../tests/support/module-build";
import { only } from "../../tests/support/pulumi-mocks";
import { reachedBy } from "./cluster-command";
import { livesIn } from "./component";
import { PinnedManifest, type PinnedManifestArgs } from "./pinned-manifest";

const FILE = { url: "https://example.org/operator.yaml", sha256: "a".repeat(64) };

const made = (args: PinnedManifestArgs) =>
  registeredOf(({ kubernetes, command }) => {
    reachedBy(kubernetes, { kubeconfig: pulumi.secret("kubeconfig"), checkout: "/checkout" });
    livesIn(kubernetes, new ConfigMap("home"));
    new PinnedManifest("m", args, { providers: { kubernetes, command } });
  });

test("it is a command that applies its files, and removes what it applied by what it printed", async () => {
  const { inputs } = only(await made({ files: [FILE] }), "command:local:Command");
  expect(inputs).toMatchObject({
    create: "node bin/components/base/cluster-task.main.js",
    delete: "node bin/components/base/cluster-task.main.js remove",
    addPreviousOutputInEnv: true,
  });
  expect(JSON.stringify(inputs["stdin"])).toContain(FILE.sha256);
});

test.each([
  ["ten minutes where nothing is said", {}, 600],
  ["as many minutes as it is given", { timeoutMinutes: 3 }, 180],
])("what it applies has %s", async (_, more, seconds) => {
  const { inputs } = only(await made({ files: [FILE], ...more }), "command:local:Command");
  expect(JSON.stringify(inputs["stdin"])).toMatch(new RegExp(`budgetSeconds\\W+${seconds}\\D`));
});

test("it is not undone in a cluster that goes as a whole", async () => {
  const { deletedWith } = only(await made({ files: [FILE] }), "command:local:Command");
  expect(deletedWith.split("::").at(-1)).toBe("home");
});

test("what is kept has no way to go", async () => {
  const { inputs, deletedWith } = only(await made({ files: [FILE], keep: true }), "command:local:Command");
  expect([inputs["delete"], inputs["addPreviousOutputInEnv"], deletedWith]).toEqual([undefined, false, ""]);
});

test.each([
  ["a digest that is none", [{ ...FILE, sha256: "abc" }], '"abc" of https://example.org/operator.yaml is no SHA-256'],
  ["a file without https", [{ ...FILE, url: "http://example.org/x" }], '"http://example.org/x" is no https URL'],
  ["no file", [], "there is none"],
])("%s is refused", async (_, files, message) => {
  await expect(made({ files })).rejects.toThrow(message);
});
