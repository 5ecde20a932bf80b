import { driftExitCode, driftOf, driftText, hasDrifted, namesOnly, seenDrift } from "./drift-report";
import { type DriftReport, driftSchema } from "./drift-schema";

const step = { op: "update", urn: "urn:1", type: "proxmoxve:index/vmLegacy:VmLegacy", name: "dev", component: false, diffs: [], keys: [], values: [] };
const report = (given: Partial<DriftReport>): DriftReport => {
  const all = { version: 1 as const, site: "lab" as const, lookedAt: "2026-01-01T00:00:00.000Z", drifted: false, stacks: [], hosts: [], ...given };
  return { ...all, drifted: hasDrifted(all) };
};
const host = { host: "dns", stack: "tools", roles: [{ role: "dns", operations: [{ operation: "file /etc/x", status: "would-change", detail: "-a\n+b" }] }] };

test("names only: no value of a field, no line of a file, neither in the text nor in the report", () => {
  const changed = { urn: "u", type: "a:b:C", name: "c", how: "changed" as const, fields: [{ path: "description", from: "1", to: "hunter2" }] };
  const found = namesOnly(report({ stacks: [{ stack: "dev", resources: [changed] }], hosts: [{ ...host, status: "would-change" }] }));
  expect(driftText(found).split("\n").slice(0, 6)).toEqual([
    "dev",
    "  ~ a:b:C c",
    "    description",
    "",
    "dns (tools)",
    "  dns: would change 1 of 1 operation",
  ]);
  expect(JSON.stringify(found)).not.toMatch(/hunter2|\+b/);
  expect([driftSchema.parse(found), driftExitCode(found)]).toEqual([found, 3]);
});

test("changed and gone resources drift, what is the same or only read does not", () => {
  const values = [{ path: "memory", from: "1", to: "2" }];
  expect(driftOf({ ...step, values })).toEqual({ urn: "urn:1", type: step.type, name: "dev", how: "changed", fields: values });
  expect(driftOf({ ...step, op: "delete", values })).toMatchObject({ how: "gone", fields: [] });
  expect([driftOf({ ...step, op: "same" }), driftOf({ ...step, op: "read" })]).toEqual([undefined, undefined]);
});

test("the text names each field, the exit code is 3; what could not be looked at is 1", () => {
  const changed = { urn: "u", type: "a:b:C", name: "c", how: "changed" as const };
  const drifted = report({
    stacks: [
      {
        stack: "dev",
        resources: [
          {
            ...changed,
            fields: [
              { path: "memory", from: "1", to: "2" },
              { path: "tag", from: '"x"' },
            ],
          },
          { ...changed, fields: [] },
          { ...changed, how: "gone", fields: [] },
        ],
      },
      { stack: "stg", resources: [] },
    ],
    hosts: [{ ...host, status: "would-change" }],
  });
  expect(driftText(drifted)).toBe(`dev
  ~ a:b:C c
    memory: 1 → 2
    tag: "x" → (gone)
  ~ a:b:C c
    a secret value differs
  - a:b:C c is gone

dns (tools)
  dns: would change 1 of 1 operation
    ~ file /etc/x
        -a
        +b

\`homelab refresh\` takes what was found into the states, and \`homelab up\` then makes it what the program says; on hosts \`homelab hosts apply\` does
`);
  expect(driftExitCode(drifted)).toBe(3);
  const failed = report({ stacks: [{ stack: "dev", resources: [], error: { code: "E_ENGINE", message: "no\nway", hint: "look" } }] });
  expect([driftText(failed), driftExitCode(failed)]).toEqual(["dev\n  ! no\n    way\n    next: look\n", 1]);
  expect(driftExitCode(report({ hosts: [{ ...host, status: "failed" }] }))).toBe(1);
  expect([driftText(report({})), driftExitCode(report({}))]).toEqual(["nothing has drifted\n", 0]);
});

test("status learns how many resources and hosts of each stack differ, and what could not be looked at", () => {
  const changed = { urn: "u", type: "a:b:C", name: "c", how: "changed" as const, fields: [] };
  const found = report({
    stacks: [
      { stack: "tools", resources: [changed, changed] },
      { stack: "dev", resources: [] },
      { stack: "stg", resources: [], error: { code: "E", message: "no" } },
    ],
    hosts: [
      { ...host, status: "would-change" },
      { ...host, host: "haproxy", status: "ok" },
      { ...host, host: "k8s-dev", stack: "dev", status: "failed" },
    ],
  });
  expect(Object.fromEntries(seenDrift(found, 7, true))).toEqual({
    tools: { at: 7, resources: 2, hosts: 1 },
    dev: { at: 7, resources: 0, hosts: null },
    stg: { at: 7, resources: null, hosts: 0 },
  });
  expect(Object.fromEntries(seenDrift({ ...found, hosts: [] }, 7, false))).toMatchObject({ tools: { at: 7, resources: 2 } });
  expect(seenDrift(found, 7, false).get("tools")).not.toHaveProperty("hosts");
});

test("what is written is read again as it was, roles' own fields and a failure's class too", () => {
  const error = { code: "E", message: "no", class: "busy", provider: ["HTTP 423"] };
  const resource = { urn: "u", type: "t", name: "n", how: "changed" as const, fields: [{ path: "p", from: "1", kind: "delete" as const, replaces: true }] };
  const whole = report({ stacks: [{ stack: "dev", resources: [resource], error }], hosts: [{ ...host, status: "failed" }] });
  expect(driftSchema.parse(JSON.parse(JSON.stringify(whole)))).toEqual(whole);
});
