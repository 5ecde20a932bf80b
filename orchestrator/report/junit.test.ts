import { renderJUnit } from "./junit";
import type { RunReport, StackReport } from "./report-schema";

const stack = (name: string, status: StackReport["status"], more: Partial<StackReport> = {}): StackReport => ({
  stack: name,
  status,
  duration: 1_500,
  offset: 0,
  changes: {},
  steps: [],
  diagnostics: [],
  unknowns: [],
  ...more,
});
const report: RunReport = {
  version: 1,
  operation: "up",
  site: "lab",
  engine: { name: "embedded", why: "" },
  startedAt: "2026-11-30T02:00:00.123Z",
  finishedAt: "2026-11-30T02:00:03.000Z",
  duration: 3_000,
  ok: false,
  changed: true,
  stacks: [
    stack("tools", "succeeded"),
    stack("dev", "failed", { error: { code: "E_STACK_FAILED", message: 'no space on <local> & "more"\u0007\nsecond', hint: "look" } }),
    stack("stg", "skipped", { duration: null, blame: "dev" }),
    stack("home", "unaffected", { duration: null, why: "tools.vaultId is as before" }),
  ],
};

test("a case for each stack: what failed with its cause, what was skipped with its reason; nothing in it is markup", () => {
  const xml = renderJUnit(report);
  expect(xml).toContain('<testsuite name="homelab up" timestamp="2026-11-30T02:00:00" tests="4" failures="1" skipped="2" errors="0" time="3.000">');
  expect(xml.split("\n").filter((line) => line.startsWith("<testcase"))).toEqual([
    '<testcase classname="homelab.up" name="tools" time="1.500"></testcase>',
    expect.stringMatching(
      /^<testcase classname="homelab.up" name="dev" time="1.500"><failure type="E_STACK_FAILED" message="no space on &lt;local&gt; &amp; &quot;more&quot;\ufffd">.*next: look.*<\/failure><\/testcase>$/,
    ),
    '<testcase classname="homelab.up" name="stg" time="0.000"><skipped message="dev failed"/></testcase>',
    '<testcase classname="homelab.up" name="home" time="0.000"><skipped message="tools.vaultId is as before"/></testcase>',
  ]);
});

test("every tag that is opened is closed, in order", () => {
  const open: string[] = [];
  for (const [, close, name, own] of renderJUnit(report).matchAll(/<(\/?)([a-z]+)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (close === "/") expect(open.pop()).toBe(name);
    else if (own !== "/") open.push(name ?? "");
  }
  expect(open).toEqual([]);
});
