import { renderHtml } from "./report-html";
import type { RunReport, StackReport } from "./report-schema";

const stack = (name: string, offset: number | null, duration: number | null, more: Partial<StackReport> = {}): StackReport => ({
  stack: name,
  status: "succeeded",
  offset,
  duration,
  changes: { create: 1 },
  steps: [],
  diagnostics: [],
  unknowns: [],
  ...more,
});
const report = (stacks: StackReport[], duration: number, more: Partial<RunReport> = {}): RunReport => ({
  version: 1,
  operation: "up",
  site: "lab",
  engine: { name: "embedded", why: "no pulumi is on PATH" },
  startedAt: "2026-01-01T00:00:00.000Z",
  finishedAt: "2026-01-01T00:01:00.000Z",
  duration,
  ok: true,
  changed: true,
  stacks,
  ...more,
});

/** Left edge and width of each bar, in percent of the time axis. */
const bars = (html: string): [number, number][] =>
  [...html.matchAll(/left:([\d.]+)%;width:([\d.]+)%/g)].map(([, left, width]) => [Number(left), Number(width)]);

test("bars are placed on one time axis: the same time is the same width, and the last one ends with the run", () => {
  const html = renderHtml(report([stack("tools", 0, 30_000), stack("dev", 30_000, 15_000), stack("home", 45_000, 15_000), stack("prod", null, null)], 60_000));
  expect(bars(html)).toEqual([
    [0, 50],
    [50, 25],
    [75, 25],
  ]);
  // The axis is the column that takes the rest, beside names and seconds as wide as their text.
  expect(html).toContain("grid-template-columns:max-content 1fr max-content");
  expect(bars(renderHtml(report([stack("tools", 0, 0)], 0)))).toEqual([[0, 0]]);
});

const failed = stack("dev", 0, 1000, {
  status: "failed",
  error: { code: "E_STACK", message: "update failed", hint: "look at the host" },
  failures: [{ op: "create", urn: "urn:vm", type: "proxmoxve:index/vmLegacy:VmLegacy", name: "k8s-dev-vm", diffs: [], keys: [] }],
  diagnostics: [
    { severity: "error", urn: "urn:vm", message: "no space left on <local-zfs>" },
    { severity: "warning", urn: "", message: "a warning of dev" },
  ],
  steps: [{ op: "update", urn: "urn:x", type: "a:b:C", name: 'x"><script>', diffs: ["size"], keys: [], values: [{ path: "size", from: "1", to: "2" }] }],
});

test("what failed stands first, with its cause and the next step, and once; then the stacks, the timeline and the steps", () => {
  const html = renderHtml(
    report([failed, stack("prod", null, null, { status: "skipped", blame: "dev" })], 1000, { ok: false, warnings: ["node03 is overcommitted"] }),
  );
  expect([...html.matchAll(/<h[12]>([^<]*)<\/h[12]>/g)].map(([, title]) => title)).toEqual([
    "homelab up: failed",
    "Failures",
    "Stacks",
    "Warnings",
    "Timeline",
    "Steps",
  ]);
  expect(html.match(/no space left on &lt;local-zfs&gt;/g)).toHaveLength(1);
  expect(html).toContain("next: look at the host");
  expect(html).toContain("size: 1 → 2");
  expect(renderHtml(report([stack("tools", 0, 1)], 1))).not.toContain("Failures");
});

test("nothing that somebody wrote is markup, and the page loads nothing from elsewhere", () => {
  const html = renderHtml(report([failed], 1000, { ok: false, engine: { name: "embedded", why: "<img src=x>" }, warnings: ["</pre><script>"] }));
  expect(html).not.toMatch(/<(?:script|img|link|iframe)|<[^>]*\s(?:src|href)=|@import|url\(/);
  expect(html).toContain("x&quot;&gt;&lt;script&gt;");
});

test("it fits a phone and a dark room: the viewport is the device's, and every colour has a dark value or holds on both", () => {
  const html = renderHtml(report([stack("tools", 0, 1)], 1));
  expect(html).toContain('<meta name="viewport" content="width=device-width,initial-scale=1">');
  const rootColours = /:root\{([^}]*)\}/.exec(html)?.[1] ?? "";
  const dark = /prefers-color-scheme:dark\)\{:root\{([^}]*)\}/.exec(html)?.[1] ?? "";
  const namesIn = (text: string): string[] => [...text.matchAll(/(--[a-z]+):/g)].map(([, name = ""]) => name);
  expect(namesIn(dark)).toEqual(expect.arrayContaining(["--ink", "--paper", "--line", "--soft"]));
  expect(namesIn(rootColours)).toEqual(expect.arrayContaining(namesIn(dark)));
  expect(rootColours).toContain("color-scheme:light dark");
  // No colour stands past the two lists.
  expect(html.replace(/:root\{[^}]*\}/g, "").match(/(?:color|background)[^;}]*:[^;}]*#[0-9a-f]{3}/g)).toBeNull();
  // Wide tables scroll in themselves.
  expect(html).toContain('<div class="wide"><table>');
});
