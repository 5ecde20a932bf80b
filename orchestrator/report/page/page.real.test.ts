/**
 * The page in a real browser: what is read, the keyboard, both themes, a phone, paper, and axe-core's rules. By playwright-core, with
 * Debian's Chromium.
 */
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as os from "node:os";
import * as path from "node:path";
import { describeReal } from "../../../tests/support/real-parts";
import type { RunReport, StackReport } from "../report-schema";
import { renderHtml } from "./page";

jest.setTimeout(180_000);

/** What is used of playwright-core's page. */
interface Page {
  goto(url: string): Promise<unknown>;
  evaluate<T>(script: string): Promise<T>;
  keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> };
  emulateMedia(media: { colorScheme?: "light" | "dark"; media?: "print" | "screen" }): Promise<void>;
  on(event: "console" | "pageerror" | "request", listener: (what: { text?(): string; type?(): string; url?(): string; message?: string }) => void): void;
  close(): Promise<void>;
}
interface Browser {
  newPage(options: { viewport: { width: number; height: number }; bypassCSP?: boolean; colorScheme?: "light" | "dark" }): Promise<Page>;
  close(): Promise<void>;
}
interface Driver {
  chromium: { launch(options: { executablePath: string; args: string[] }): Promise<Browser> };
}

const stack = (name: string, offset: number | null, duration: number | null, more: Partial<StackReport> = {}): StackReport => ({
  ...{ stack: name, status: "succeeded" as const, offset, duration, changes: { create: 3, same: 2 }, diagnostics: [], unknowns: [], why: "no stack was named" },
  steps: Array.from({ length: 12 }, (_, i) => ({
    ...{ op: i % 2 === 0 ? "create" : "update", urn: `urn:pulumi:${name}::homelab::a:b:C::part-${i}`, type: "kubernetes:helm.sh/v3:Release" },
    ...{ name: `${name}-part-${i}`, diffs: ["size"], keys: [], values: [{ path: "size", from: "1", to: "2" }], offset: offset ?? 0, duration: 900 },
  })),
  ...more,
});

const NAMES = ["tools", "observability", "home", "sandboxy", "dev", "stg", "prod"];
const report: RunReport = {
  ...{ version: 1, operation: "up", site: "lab", engine: { name: "embedded", why: "asked for" }, duration: 60_000, ok: false, changed: true },
  startedAt: "2026-01-01T00:00:00.000Z",
  finishedAt: "2026-01-01T00:01:00.000Z",
  warnings: ["node03 is overcommitted"],
  estate: {
    nodes: ["node01"],
    stacks: NAMES.map((name, i) => ({
      ...{ stack: name, needs: i === 0 ? [] : [NAMES[i - 1] ?? ""], cluster: "k3s", modules: ["cert-manager", "vault"], apps: ["whoami"] },
      machines: [{ name: `k8s-${name}`, node: "node01", address: `10.0.0.${i + 1}`, cluster: true }],
    })),
  },
  stacks: [
    ...NAMES.slice(0, 5).map((name, i) => stack(name, i * 10_000, 10_000)),
    stack("stg", 50_000, 10_000, {
      status: "failed",
      error: { code: "E_STACK_FAILED", message: "k8s-stg-vm: no space left on <local-zfs>", hint: "make room" },
      failures: [{ op: "create", urn: "urn:x", type: "proxmoxve:index/vmLegacy:VmLegacy", name: "k8s-stg-vm", diffs: [], keys: [] }],
    }),
    stack("prod", null, null, { status: "skipped", blame: "stg", steps: [] }),
  ],
};

describeReal(["chromium", "browser-driver"], "the page in a browser", (pathOf) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-page-"));
  let browser: Browser;
  const said: string[] = [];
  beforeAll(async () => {
    fs.writeFileSync(path.join(folder, "report.html"), renderHtml(report));
    const driver = createRequire(path.join(pathOf("browser-driver"), "x.js"))("playwright-core") as Driver;
    // In a container the sandbox lacks the rights that it needs. The page is trusted: it is our own.
    browser = await driver.chromium.launch({ executablePath: pathOf("chromium"), args: ["--no-sandbox"] });
  });
  afterAll(async () => {
    await browser.close();
    fs.rmSync(folder, { recursive: true });
  });

  async function open(width = 1280, options: { bypassCSP?: boolean; colorScheme?: "light" | "dark" } = {}): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height: 800 }, ...options });
    said.length = 0;
    page.on("console", (message) => void said.push(`${message.type?.()}: ${message.text?.()}`));
    page.on("pageerror", (error) => void said.push(`error: ${error.message}`));
    page.on("request", (request) => void (request.url?.().startsWith("file:") === true || said.push(`request: ${request.url?.()}`)));
    await page.goto(`file://${path.join(folder, "report.html")}`);
    return page;
  }

  test("what failed is read first; it loads nothing, and its own script may run", async () => {
    const page = await open();
    const headings = await page.evaluate<string[]>("[...document.querySelectorAll('h1, main > section > h2')].map((h) => h.textContent)");
    expect(headings.slice(0, 3)).toEqual(["homelab up: failed", "Failures", "Stacks"]);
    const text = await page.evaluate<string>("document.querySelector('main').innerText");
    for (const part of ["no space left on <local-zfs>", "make room", "node03 is overcommitted", "k8s-observability"]) expect(text).toContain(part);
    expect(said).toEqual([]);
    await page.close();
  });

  test("the keyboard: / searches, Escape ends it, a digit goes to a section, e folds, t changes the theme", async () => {
    const page = await open();
    await page.keyboard.press("/");
    expect(await page.evaluate("document.activeElement.id")).toBe("search");
    await page.keyboard.type("home-part-3");
    expect(await page.evaluate("document.getElementById('found').textContent")).toMatch(/^[1-9]\d* of \d+ lines$/);
    expect(
      await page.evaluate(
        "[...document.querySelectorAll('[data-search]')].filter((row) => !row.hidden).every((row) => row.textContent.includes('home-part-3'))",
      ),
    ).toBe(true);
    await page.keyboard.press("Escape");
    expect(await page.evaluate("[...document.querySelectorAll('[data-search]')].filter((row) => row.hidden).length")).toBe(0);
    await page.keyboard.press("2");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Stacks");
    await page.keyboard.press("e");
    const open1 = await page.evaluate("document.querySelectorAll('details:not([open])').length");
    await page.keyboard.press("e");
    expect([open1, (await page.evaluate<number>("document.querySelectorAll('details[open]').length")) === 0]).toEqual([0, true]);
    const paper = "getComputedStyle(document.body).backgroundColor";
    const before = await page.evaluate(paper);
    await page.keyboard.press("t");
    expect(await page.evaluate(paper)).not.toBe(before);
    expect(said).toEqual([]);
    await page.close();
  });

  test("by Tab alone every control is reached, and is seen to have the focus", async () => {
    const page = await open();
    const controls = await page.evaluate<number>("document.querySelectorAll('a[href], button, input, summary').length");
    const seen = new Set<string>();
    for (let i = 0; i < controls; i++) {
      await page.keyboard.press("Tab");
      const [what, outline] = await page.evaluate<[string, string]>(
        "(() => { const e = document.activeElement; return [e.tagName + ' ' + (e.id || e.textContent.slice(0, 60)), getComputedStyle(e).outlineStyle]; })()",
      );
      expect([what, outline]).toEqual([what, "solid"]);
      seen.add(what);
    }
    expect(seen.size).toBeGreaterThan(8);
    await page.close();
  });

  test.each([390, 320])("on a screen of %d pixels nothing but wide tables scrolls sideways", async (width) => {
    const page = await open(width);
    expect(await page.evaluate<[number, number]>("[document.documentElement.scrollWidth, innerWidth]")).toEqual([width, width]);
    const outside = await page.evaluate<string[]>(
      "[...document.querySelectorAll('main *')].filter((e) => !e.closest('.wide, svg, .axis') && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.tagName + ' ' + e.className)",
    );
    expect(outside).toEqual([]);
    await page.close();
  });

  test("on paper all folds are open, and there are no controls", async () => {
    const page = await open();
    await page.emulateMedia({ media: "print" });
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    expect(await page.evaluate("document.querySelectorAll('details:not([open])').length")).toBe(0);
    expect(await page.evaluate("getComputedStyle(document.querySelector('.tools')).display")).toBe("none");
    await page.close();
  });

  test.each([
    ["light", 1280],
    ["dark", 1280],
    ["light", 390],
    ["dark", 390],
  ] as const)("axe-core finds nothing: %s, %d pixels", async (colorScheme, width) => {
    // The page's policy would not let axe-core run.
    const page = await open(width, { bypassCSP: true, colorScheme });
    await page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })");
    const { source } = createRequire(path.join(pathOf("browser-driver"), "x.js"))("axe-core") as { source: string };
    await page.evaluate(`${source}; undefined`);
    const violations = await page.evaluate<string[]>(
      "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map((n) => n.html.slice(0, 120)).join(' | ')))",
    );
    expect(violations).toEqual([]);
    await page.close();
  });
});
