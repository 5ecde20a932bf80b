import { diffText, exitCodeOf, type HostResults, resultsText } from "./host-results";

const ok = { operation: "packages", status: "ok" };
const change = { operation: "k3s binary", status: "would-change" };
const diff = { operation: "file /etc/motd", status: "would-change", detail: "--- /etc/motd\n+++ -\n@@ -1 +1,2 @@\n-old\n+new\n+" };

const CHECKS: HostResults = {
  version: 1,
  hosts: [
    { host: "dns", stack: "tools", status: "no-roles", roles: [] },
    { host: "k8s-dev", stack: "dev", status: "would-change", roles: [{ role: "k3s-node", operations: [ok, change, diff] }] },
    { host: "k8s-stg", stack: "stg", status: "ok", roles: [{ role: "k3s-node", operations: [ok, ok] }] },
    {
      host: "k8s-prod",
      stack: "prod",
      status: "failed",
      roles: [],
      error: { code: "E_SSH_REFUSED", message: "192.168.1.14:22 refuses the key of suporte", hint: "check SSH_PRIVATE_KEY" },
    },
  ],
};
const only = (...names: string[]): HostResults => ({ version: 1, hosts: CHECKS.hosts.filter(({ host }) => names.includes(host)) });

test("the exit code is 0 for nothing, 3 for changes, and 1 for a failed host, which outweighs changes", () => {
  expect([only("dns"), only("dns", "k8s-stg"), only("k8s-stg", "k8s-dev"), CHECKS, only()].map(exitCodeOf)).toEqual([0, 0, 3, 1, 0]);
});

test("check has a row for each host, then why hosts failed, then what is not built", () => {
  expect(resultsText(CHECKS, "check", ["k8s-home"], 80)).toBe(`host      stack            state  would change  operations
────────  ─────  ───────────────  ────────────  ──────────
dns       tools         no roles             0           0
k8s-dev   dev       would change             2           3
k8s-stg   stg    as it should be             0           2
k8s-prod  prod            failed             0           0
k8s-prod: 192.168.1.14:22 refuses the key of suporte
  next: check SSH_PRIVATE_KEY
not built: k8s-home
`);
  expect(resultsText(only(), "check", ["k8s-home"], 80)).toBe("no host is built\nnot built: k8s-home\n");
});

test("diff shows only what would change, with its difference, and what could not be looked at", () => {
  expect(diffText(CHECKS)).toBe(`k8s-dev (dev)
  k3s-node: would change 2 of 3 operations
    ~ k3s binary
    ~ file /etc/motd
        --- /etc/motd
        +++ -
        @@ -1 +1,2 @@
        -old
        +new
        +

k8s-prod (prod)
  ! k8s-prod: 192.168.1.14:22 refuses the key of suporte
  !   next: check SSH_PRIVATE_KEY
`);
  expect(diffText(only("dns", "k8s-stg"))).toBe("no role would change anything\n");
});

test("an operation that cannot be checked is told with its exit code and what it said", () => {
  const failed = { operation: "packages", status: "failed", exitCode: 100, stderr: "E: Could not get lock" };
  const checks: HostResults = {
    version: 1,
    hosts: [{ host: "dns", stack: "tools", status: "failed", roles: [{ role: "base", operations: [failed], error: "x" }] }],
  };
  expect(diffText(checks)).toContain('dns: base: "packages" cannot be checked (exit code 100): E: Could not get lock');
});

test("apply says what was changed, and in which phase an operation failed", () => {
  const failed = { operation: "service haproxy", status: "failed", phase: "apply", exitCode: 1, stderr: "Job failed" };
  const results: HostResults = {
    version: 1,
    hosts: [
      { host: "dns", stack: "tools", status: "changed", roles: [{ role: "base", operations: [ok, { operation: "a", status: "changed" }] }] },
      { host: "haproxy", stack: "tools", status: "failed", roles: [{ role: "haproxy", operations: [ok, failed], error: "x" }] },
    ],
  };
  expect(exitCodeOf(results)).toBe(1);
  expect(exitCodeOf({ version: 1, hosts: results.hosts.slice(0, 1) })).toBe(0);
  expect(resultsText(results, "apply", [], 80)).toBe(`host     stack    state  changed  operations
───────  ─────  ───────  ───────  ──────────
dns      tools  changed        1           2
haproxy  tools   failed        0           2
haproxy: haproxy: "service haproxy" failed in its apply (exit code 1): Job failed
`);
});
