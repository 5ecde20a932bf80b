import type { RunReport, StackReport } from "../report/report-schema";
import type { Rehearsed } from "./rehearse-faults";
import { survivalTable } from "./survival-table";
import { judge, type Observed, type RunEnd } from "./verdict";

const stack = (fields: Partial<StackReport>): StackReport => ({
  stack: "tools",
  status: "succeeded",
  duration: 1,
  offset: 0,
  changes: {},
  steps: [],
  diagnostics: [],
  unknowns: [],
  ...fields,
});
const report = (...stacks: StackReport[]): RunReport => ({
  version: 1,
  operation: "up",
  site: "lab",
  engine: { name: "embedded", why: "" },
  startedAt: "2026-01-01T00:00:00.000Z",
  finishedAt: "2026-01-01T00:00:01.000Z",
  duration: 1_000,
  ok: true,
  changed: true,
  stacks,
});

const good: RunEnd = { code: 0, stderr: "", report: report(stack({})) };
const failedWith = (error: StackReport["error"]): RunEnd => ({ code: 1, stderr: "", report: report(stack({ status: "failed", ...(error && { error }) })) });
const clear = failedWith({ code: "E_STACK_FAILED", message: "dns-vm: 596 Connection timed out\nmore" });
const fine: Observed = { struck: true, first: good, next: undefined, restless: [], machines: ["dns"], wanted: ["dns"], twice: [], pending: [], unhandled: [] };

const retried: RunEnd = { ...good, report: report(stack({ retries: [{ attempt: 1, class: "busy", message: "held", delay: 10 }] })) };

test.each<[string, Partial<Observed>, string, string]>([
  ["it ends well", {}, "survived", "the run went on"],
  ["it ends well after a retry", { first: retried }, "survived", "after 1 retry of a stack"],
  ["it says what failed, and the next run ends well", { first: clear, next: good }, "failed clearly", "dns-vm: 596 Connection timed out"],
  [
    "a command says it in its second line",
    { first: failedWith({ code: "E_STACK_FAILED", message: 'exit status 1: running "x":\n  Vault is sealed\nmore' }), next: good },
    "failed clearly",
    "Vault is sealed",
  ],
  [
    "a command ends and says nothing",
    { first: failedWith({ code: "E_STACK_FAILED", message: 'exit status 1: running "node x":' }), next: good },
    "bug",
    "tools: it failed, and only an exit code says why",
  ],
  [
    "a role says what it has done before it says what failed",
    {
      first: failedWith({
        code: "E_STACK_FAILED",
        message: `Process exited with status 1 on 10.20.0.11: running "sh -c '# Role\\n'":\n{"operation":"first boot finished","status":"ok"}\nk3s.service: exited, status=1`,
      }),
      next: good,
    },
    "failed clearly",
    "k3s.service: exited, status=1",
  ],
  [
    "a resource of it failed",
    {
      first: {
        code: 1,
        stderr: "",
        report: report(
          stack({
            status: "failed",
            error: { code: "E_STACK_FAILED", message: "update failed" },
            failures: [{ op: "create", urn: "urn:pulumi:tools::p::a:b:Command::k3s-run", type: "a:b:Command", name: "k3s-run", diffs: [], keys: [] }],
            diagnostics: [{ severity: "error", urn: "urn:pulumi:tools::p::a:b:Command::k3s-run", message: "no space left" }],
          }),
        ),
      },
      next: good,
    },
    "failed clearly",
    "Command k3s-run could not be created: no space left",
  ],
  ["nothing met it", { struck: false }, "never struck", "nothing in these stacks met it"],
  ["it hangs", { first: { ...good, code: null } }, "bug", "the run hung, and was ended"],
  ["it fails without a word", { first: failedWith(undefined), next: good }, "bug", "tools failed without a word"],
  ["its worker dies", { first: failedWith({ code: "E_WORKER", message: "ended" }), next: good }, "bug", "tools: E_WORKER: ended"],
  ["it calls itself a bug", { first: { ...clear, stderr: "error: x\n  this is a bug of ours" }, next: good }, "bug", "it calls itself a bug"],
  ["nothing of it says an error", { first: { code: 1, stderr: "", report: undefined }, next: good }, "bug", "it has neither a report nor an error"],
  ["the next run fails too", { first: clear, next: clear }, "bug", "the next run failed too: dns-vm: 596 Connection timed out"],
  ["the next run hangs", { first: clear, next: { ...good, code: null } }, "bug", "the next run hung: "],
  ["a machine is missing", { machines: [] }, "bug", "the run called itself done; machines that are missing: dns"],
  ["a machine is left over", { first: clear, next: good, machines: ["dns", "old"] }, "bug", "after the next run, machines that nobody asked for: old"],
  ["a machine is there twice", { machines: ["dns", "dns"] }, "bug", "the run called itself done; machines that nobody asked for: dns"],
  ["something was made twice", { twice: ["dns"] }, "bug", "the run called itself done; made more than once: dns"],
  ["a creation is pending", { pending: ["tools: urn"] }, "bug", "the run called itself done; still pending: tools: urn"],
  ["a further run changes something", { restless: ["proxmox dns vm-start"] }, "bug", "the run called itself done; a further run changed: proxmox dns vm-start"],
  ["the lab does not model a call", { unhandled: ["vault x: GET y"] }, "bug", "the run called itself done; the lab does not model: vault x: GET y"],
])("%s", (_what, seen, verdict, why) => {
  expect(judge({ ...fine, ...seen })).toEqual({ verdict, why });
});

test("the table: a line for each fault, cut to the terminal, and the counts", () => {
  const of = (fault: string, verdict: Rehearsed["verdict"], why: string, mended?: string): Rehearsed => ({
    fault,
    after: 0,
    parameters: {},
    stacks: ["tools"],
    verdict,
    why,
    ...(mended === undefined ? {} : { mended }),
    seconds: 1,
  });
  const done = [of("apt.lock-held", "survived", "the run went on"), of("vault.sealed", "failed clearly", "503 Vault is sealed", "homelab vault unseal")];
  expect(survivalTable(done, 7, 70)).toBe(
    [
      "fault          verdict         why",
      "─────────────  ──────────────  ───",
      "apt.lock-held  survived        the run went on",
      "vault.sealed   failed clearly  503 Vault is sealed; then homelab vaul…",
      "2 faults with seed 7: 1 survived, 1 failed clearly",
    ].join("\n"),
  );
});
