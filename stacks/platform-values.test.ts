import { execFileSync, spawnSync } from "node:child_process";
import * as path from "node:path";

const script = path.join(__dirname, "../bin/stacks/platform-values.js");
const ask = (question: object) => JSON.parse(execFileSync(process.execPath, [script], { input: JSON.stringify(question), encoding: "utf8" }));
const refusal = (question: object) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { input: JSON.stringify(question), encoding: "utf8" });
  expect([status, stdout]).toEqual([1, ""]);
  return JSON.parse(stderr);
};

test("it prints what Helm would get for a module of a stack", () => {
  expect(ask({ stack: "dev", module: "external-dns" })).toMatchObject({
    version: 1,
    stack: "dev",
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
  const { releases } = ask({ stack: "tools", module: "minio" });
  expect(releases[0].values).toMatchObject({ existingSecret: "minio-root", podAnnotations: { "homelab/root-credential": "<digest of the root credential>" } });
  expect(JSON.stringify(releases)).not.toContain("rootPassword");
});

test("a module without charts has no releases", () => {
  expect(ask({ stack: "dev", module: "cluster-access" }).releases).toEqual([]);
});

test.each([
  [
    { stack: "pord", module: "minio" },
    { code: "E_STACK_UNKNOWN", hint: 'did you mean "prod"?' },
  ],
  [
    { stack: "dev", module: "minio" },
    { code: "E_MODULE", message: 'dev has no module "minio"', hint: "its modules are: cert-manager, cluster-access, external-secrets, external-dns, argo-cd" },
  ],
])("%j is refused", (question, failure) => {
  expect(refusal(question)).toMatchObject(failure);
});
