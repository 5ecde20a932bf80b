import { execFileSync, spawnSync } from "node:child_process";
import * as path from "node:path";
import { loadHomelab, useHomelabSecrets } from "../tests/support/homelab";
import { loadEstate } from "./load/estate";
import { valuesOf } from "./platform-values";

const script = path.join(__dirname, "../bin/stacks/platform-values.js");
const ask = (question: object) => JSON.parse(execFileSync(process.execPath, [script], { input: JSON.stringify(question), encoding: "utf8" }));
const refusal = (question: object) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { input: JSON.stringify(question), encoding: "utf8" });
  expect([status, stdout]).toEqual([1, ""]);
  return JSON.parse(stderr);
};

/** Of the homelab of the tests. */
const releasesOf = (stack: string, module: string) => {
  useHomelabSecrets();
  return valuesOf(loadHomelab(), stack, module);
};
/** Of this checkout, whichever it is. */
const [own] = loadEstate().stacks;

test("it prints what Helm would get for a module of a stack", () => {
  expect(ask({ stack: own?.name, module: "external-dns" })).toMatchObject({
    version: 1,
    stack: own?.name,
    module: "external-dns",
    releases: [
      {
        release: "external-dns",
        repository: "https://kubernetes-sigs.github.io/external-dns",
        chart: "external-dns",
        version: "1.21.1",
        values: { provider: { name: "pihole" }, policy: "sync" },
      },
    ],
  });
});

test("what is known only while it is built stands in angle brackets, and no secret is in it", () => {
  const releases = releasesOf("tools", "minio");
  expect(releases[0]?.values).toMatchObject({ existingSecret: "minio-root", podAnnotations: { "homelab/root-credential": "<digest of the root credential>" } });
  expect(JSON.stringify(releases)).not.toContain("rootPassword");
});

test("a module without charts has no releases", () => {
  expect(releasesOf("dev", "cluster-access")).toEqual([]);
});

test.each([
  ["pord", "minio", { code: "E_STACK_UNKNOWN", hint: 'did you mean "prod"?' }],
  [
    "dev",
    "minio",
    { code: "E_MODULE_UNKNOWN", message: 'dev has no module "minio"', hint: expect.stringContaining("its modules are: cert-manager, cluster-access") },
  ],
])("%s %s is refused", (stack, module, failure) => {
  expect(() => releasesOf(stack, module)).toThrow(expect.objectContaining(failure));
});

test("a refusal is one line of JSON", () => {
  expect(refusal({ stack: "no-such-stack", module: "minio" })).toMatchObject({ code: "E_STACK_UNKNOWN", message: 'there is no stack "no-such-stack"' });
});
