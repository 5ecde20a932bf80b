import * as vm from "node:vm";
import type { RunReport, StackReport } from "../report-schema";
import { renderHtml } from "./page";
import { SCRIPT } from "./script";
import { criticalPath } from "./timeline";

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

test("what failed comes first, once, with its cause and the next step; then the stacks, the timeline and the steps", () => {
  const html = renderHtml(
    report([failed, stack("prod", null, null, { status: "skipped", blame: "dev" })], 1000, { ok: false, warnings: ["node03 is overcommitted"] }),
  );
  expect([...html.matchAll(/<h[12](?: [^>]*)?>([^<]*)<\/h[12]>/g)].map(([, title]) => title)).toEqual([
    "homelab up: failed",
    "Failures",
    "Stacks",
    "Warnings",
    "Timeline",
    "Steps",
  ]);
  expect(html.match(/no space left on &lt;local-zfs&gt;/g)).toHaveLength(1);
  expect(html).toContain("next: look at the host");
  expect(html).toContain('size: <span class="from">1</span> → 2');
  expect(renderHtml(report([stack("tools", 0, 1)], 1))).not.toContain("Failures");
});

test("nothing that somebody wrote is markup, and the page loads nothing from elsewhere", () => {
  const html = renderHtml(report([failed], 1000, { ok: false, engine: { name: "embedded", why: "<img src=x>" }, warnings: ["</pre><script>"] }));
  const others = html.replace(`<script>${SCRIPT}</script>`, "");
  expect(others).not.toMatch(/<(?:script|img|link|iframe)|<[^>]*\ssrc=|<[^>]*\shref="[^#]|@import|url\(/);
  // Markup that gets in all the same does not run, and loads nothing.
  expect(html).toMatch(/Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-[A-Za-z0-9+/=]{44}'; /);
  expect(html).toContain("x&quot;&gt;&lt;script&gt;");
});

test("it fits a phone and a dark room: the viewport is the device's, and every colour has a dark value or holds on both", () => {
  const html = renderHtml(report([stack("tools", 0, 1)], 1));
  expect(html).toContain('<meta name="viewport" content="width=device-width,initial-scale=1">');
  // No colour is written outside the lists of variables.
  expect(html.replace(/:root(?:\[[^\]]*\])?\{[^}]*\}/g, "").match(/(?:color|background|fill|stroke)[^;}]*:[^;}]*#[0-9a-f]{3}/g)).toBeNull();
  // Wide tables scroll by themselves.
  expect(html).toContain('<div class="wide" role="region" aria-label="table of the stacks" tabindex="0"><table>');
});

/** Contrast of two colours, as WCAG 2.2 computes it. */
function contrast(one: string, other: string): number {
  const luminance = (colour: string): number => {
    const hex = colour.length === 4 ? [...colour.slice(1)].map((digit) => digit + digit) : (colour.slice(1).match(/../g) ?? []);
    const [r = 0, g = 0, b = 0] = hex.map((pair) => Number.parseInt(pair, 16) / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

test.each(["light", "dark"])("text can be read on its paper: %s", (theme) => {
  const html = renderHtml(report([stack("tools", 0, 1)], 1));
  const colours = Object.fromEntries(
    [...(new RegExp(`\\[data-theme=${theme}\\]\\{([^}]*)\\}`).exec(html)?.[1] ?? "").matchAll(/--([a-z]+):(#[0-9a-f]+)/g)].map(([, name, value]) => [
      name,
      value,
    ]),
  );
  for (const paper of ["paper", "soft"])
    for (const ink of ["ink", "idle", "good", "bad", "warn", "focus"])
      expect([theme, ink, paper, contrast(colours[ink] ?? "#fff", colours[paper] ?? "#fff") >= 4.5]).toEqual([theme, ink, paper, true]);
});

const estate: RunReport["estate"] = {
  nodes: ["node-a", "node-b"],
  stacks: [
    {
      stack: "tools",
      needs: [],
      cluster: "k3s",
      machines: [
        { name: "dns", node: "node-a", address: "10.0.0.3", cluster: false },
        { name: "k8s-tools", node: "node-a", address: "10.0.0.4", cluster: true },
      ],
      modules: ["vault", "nats"],
      apps: [],
    },
    {
      stack: "dev",
      needs: ["tools"],
      cluster: "k3s",
      machines: [{ name: "k8s-dev", node: "node-b", address: "10.0.0.5", cluster: true }],
      modules: [],
      apps: ["hello"],
    },
    { stack: "stg", needs: ["tools", "dev"], cluster: "kubeadm", machines: [], modules: [], apps: [] },
  ],
};
const did = (op: string, parents: string, name: string) => ({
  op,
  urn: `urn:pulumi:s::homelab::${parents}$a:b:C::${name}`,
  type: "a:b:C",
  name,
  diffs: [],
  keys: [],
});

test("the map has every host, VM, cluster, module and application, each with what became of it", () => {
  const html = renderHtml(
    report(
      [
        stack("tools", 0, 10, {
          steps: [did("replace", "homelab:hosts:Vm", "dns-vm"), did("update", "homelab:platform:Nats", "nats")],
          failures: [did("create", "homelab:platform:Vault", "vault-release")],
        }),
        stack("dev", null, null, { status: "skipped", blame: "tools" }),
      ],
      10,
      { estate },
    ),
  );
  const map = /<section id="map"[\s\S]*?<\/section>/.exec(html)?.[0] ?? "";
  const marks = [...map.matchAll(/<span class="mark is-(\w+)">\S ([^<]*)<\/span> <small>([^<]*)</g)].map(([, state, name, words]) => [name, state, words]);
  expect(marks).toEqual([
    ["dns", "replaced", "replaced"],
    ["k8s-tools", "same", "as before"],
    ["vault", "failed", "failed"],
    ["nats", "changed", "changed"],
    ["k8s-dev", "unknown", "not looked at"],
    ["hello", "unknown", "not looked at"],
  ]);
  expect([...map.matchAll(/<h3>([^<]*)/g)].map(([, host]) => host)).toEqual(["node-a", "node-b"]);
});

test("the graph leaves out what follows from another need, marks the critical path, and says all of it in words", () => {
  const given = report([stack("tools", 0, 10), stack("dev", 10, 30), stack("stg", 40, 5)], 45, { estate });
  expect(criticalPath(given)).toEqual(["tools", "dev", "stg"]);
  const svg = /<svg[\s\S]*?<\/svg>/.exec(renderHtml(given))?.[0] ?? "";
  expect(svg.match(/<path class="critical"/g)).toHaveLength(2);
  expect(svg).toContain("<title>tools needs nothing; dev needs tools; stg needs tools, dev</title>");
  // One to the right of the other.
  const lefts = [...svg.matchAll(/translate\(([\d.]+) /g)].map(([, x]) => Number(x));
  expect(lefts).toEqual(lefts.toSorted((a, b) => a - b));
  expect(criticalPath(report([stack("stg", 0, 5), stack("dev", 5, 5), stack("tools", 10, 5)], 15, { estate, operation: "destroy" }))).toEqual([
    "stg",
    "dev",
    "tools",
  ]);
});

/** The parts of a browser that the script uses. */
function browser(texts: string[]) {
  const listeners: Record<string, (event: object) => void> = {};
  const element = (textContent = "") => ({
    textContent,
    hidden: false,
    value: "",
    tagName: "BODY",
    dataset: {} as Record<string, string>,
    on: {} as Record<string, () => void>,
  });
  const withEvents = (one: ReturnType<typeof element>) =>
    Object.assign(one, {
      addEventListener: (name: string, act: () => void) => Object.assign(one.on, { [name]: act }),
      closest: () => null,
      focus: () => undefined,
      blur: () => undefined,
    });
  const byId = Object.fromEntries(["search", "found", "theme", "folds"].map((id) => [id, withEvents(element())]));
  const rows = texts.map((text) => withEvents(element(text)));
  const document = {
    getElementById: (id: string) => byId[id],
    documentElement: element(),
    activeElement: element(),
    querySelector: () => null,
    querySelectorAll: (what: string) => (what === "[data-search]" ? rows : []),
  };
  vm.runInNewContext(SCRIPT, {
    document,
    matchMedia: () => ({ matches: true }),
    addEventListener: (name: string, act: (event: object) => void) => Object.assign(listeners, { [name]: act }),
  });
  return { byId, rows, document, press: (key: string) => listeners["keydown"]?.({ key, preventDefault: () => undefined }) };
}

test("search shows the lines that have all its words; t turns the theme", () => {
  const { byId, rows, document, press } = browser(["update VmLegacy dev-vm", "create Release nats", "update Release vault"]);
  const { search, found } = byId;
  if (search === undefined) throw new Error("there is no search");
  search.value = "release UPDATE";
  search.on["input"]?.();
  expect([rows.map(({ hidden }) => hidden), found?.textContent]).toEqual([[true, true, false], "1 of 3 lines"]);
  search.value = "";
  search.on["input"]?.();
  expect(rows.map(({ hidden }) => hidden)).toEqual([false, false, false]);
  press("t");
  expect(document.documentElement.dataset["theme"]).toBe("light");
  press("t");
  expect(document.documentElement.dataset["theme"]).toBe("dark");
});
