/** The last lines of a run at a terminal: commands for what was built, whatever the stacks are called. */
import type { RunReport, StackReport } from "../report/report-schema";
import { type Closing, closingText, tableText } from "./closing-text";

const stack = (name: string): StackReport => ({
  stack: name,
  status: "succeeded",
  duration: 1_000,
  offset: 0,
  changes: { create: 1 },
  steps: [],
  diagnostics: [],
  unknowns: [],
});

const report = (...names: string[]): RunReport => ({
  version: 1,
  operation: "up",
  site: "lab",
  engine: { name: "embedded", why: "there is no pulumi on PATH" },
  startedAt: "2026-11-29T20:00:00.000Z",
  finishedAt: "2026-11-29T20:00:01.000Z",
  duration: 1_000,
  ok: true,
  changed: true,
  stacks: names.map(stack),
});

const LAB = { kubeconfig: "/labs/my lab/kubeconfig", proxy: "http://127.0.0.1:4000", caFile: "/labs/my lab/ca.pem" };
const closing = (vaultStack: string | undefined): Closing => ({
  operation: "up",
  site: { env: {}, lab: LAB },
  program: { site: "example.org", vaultStack },
});
const linesOf = (setup: Closing, ...names: string[]): string[] =>
  closingText(setup, report(...names), "/runs/1/report.html", 80)
    .trimEnd()
    .split("\n");

it("tells how to look into the cluster that was built last, and into Vault in whichever stack it runs", () => {
  expect(linesOf(closing("base"), "base", "family").slice(2)).toEqual([
    "kubernetes: kubectl --kubeconfig '/labs/my lab/kubeconfig' --context family get deployments -A",
    "vault: HTTPS_PROXY=http://127.0.0.1:4000 VAULT_CACERT='/labs/my lab/ca.pem' VAULT_ADDR=https://vault.example.org (any Vault client)",
  ]);
});

it("names no Vault where its stack was not built, or where there is none", () => {
  expect(linesOf(closing("base"), "family").slice(2)).toEqual([expect.stringContaining("--context family")]);
  expect(linesOf(closing(undefined), "base").slice(2)).toEqual([expect.stringContaining("--context base")]);
});

it("tells nothing of the kind for the real homelab", () => {
  expect(linesOf({ ...closing("base"), site: { env: {}, lab: undefined } }, "base")).toHaveLength(2);
});

it("says of each stack of a preview whether it is complete, or which outputs of which stack it waits for", () => {
  const preview: RunReport = { ...report("tools", "dev"), operation: "preview" };
  const [, dev] = preview.stacks;
  if (dev !== undefined) dev.unknowns = ["tools.vaultId", "tools.templateIds", "stg.appImage"];
  expect(tableText(preview, 80)).toMatch(/^tools +complete .*\ndev +unknown outputs /m);
  expect(closingText(closing(undefined), preview, "/r.html", 80).split("\n").slice(0, 2)).toEqual([
    "dev waits for tools, whose outputs are unknown until it is up: vaultId, templateIds",
    "dev waits for stg, whose outputs are unknown until it is up: appImage",
  ]);
  expect(tableText(report("tools"), 80)).toMatch(/^tools +succeeded /m);
});
