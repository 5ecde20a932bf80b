import { failureLines } from "./failure-text";
import type { StackReport } from "./report-schema";
import { renderTable, TABLE_HEAD } from "./table";

const urn = (type: string, name: string): string => `urn:pulumi:tools::homelab::homelab:hosts:Vm$${type}::${name}`;
const failed = (diagnostics: [string, string][], fields: Partial<StackReport> = {}): StackReport => ({
  ...{ stack: "tools", status: "failed", duration: 1, offset: 0, changes: {}, steps: [], unknowns: [] },
  failures: diagnostics.map(([of]) => ({ op: "create", urn: of, type: "t", name: "n", diffs: [], keys: [] })),
  diagnostics: diagnostics.map(([of, message]) => ({ severity: "error", urn: of, message })),
  error: { code: "E_STACK_FAILED", message: diagnostics.map(([, message]) => message).join("\n") },
  ...fields,
});

const RUN = urn("command:remote:Command", "tools-k3s-run");
const NEXT = "  next: mend the cause, then run the same command again: it goes on from the saved state";

test("a role's failure: the operation that failed, without the script, the JSON and what follows from it", () => {
  const message = String.raw`Process exited with status 1 on 192.168.1.15: running "sudo -n env sh -c '# Role k3s-node\n# say \"hello\"\n…":
{"operation":"first boot finished","status":"ok"}
{"operation":"service k3s","status":"failed","phase":"apply","exitCode":1,"stderr":"Job failed"}
operation "service k3s" failed on k8s-tools (apply, exit code 1): Job for k3s.service failed.
See "journalctl -xeu k3s.service" for details.`;
  const unhandled =
    "Running program '/x/main.cjs' failed with an unhandled exception:\n\u001b[36m<ref *1>\u001b[39m Error: Channel has been shut down\n    at f (/x/y.js:1:2)";
  expect(
    failureLines(
      failed([
        [RUN, message],
        ["", unhandled],
        ["", "update failed"],
      ]),
    ),
  ).toEqual([
    "✘ tools: Command tools-k3s-run could not be created",
    '    operation "service k3s" failed on k8s-tools (apply, exit code 1): Job for k3s.service failed.',
    '    See "journalctl -xeu k3s.service" for details.',
    NEXT,
  ]);
});

test("a line that a provider prints twice is shown once, and each resource has its own block", () => {
  const vm =
    "Proxmox: qmstart of 118 on node03 failed: exit code 1\nTASK ERROR: exit code 1\n\t* Proxmox: qmstart of 118 on node03 failed: exit code 1\nTASK ERROR: exit code 1";
  expect(
    failureLines(
      failed([
        [urn("proxmoxve:index/vmLegacy:VmLegacy", "teleport-vm"), vm],
        [RUN, "no route to host"],
      ]),
    ),
  ).toEqual([
    "✘ tools: VmLegacy teleport-vm could not be created",
    "    Proxmox: qmstart of 118 on node03 failed: exit code 1",
    "    TASK ERROR: exit code 1",
    "✘ tools: Command tools-k3s-run could not be created",
    "    no route to host",
    NEXT,
  ]);
});

test("a command that printed nothing, an error of the stack itself, and a very long error", () => {
  expect(failureLines(failed([[RUN, 'exit status 7: running "a script":\n']]))[1]).toBe("    it ended with exit code 7");
  const locked = failed([], { error: { code: "E_LOCKED", message: "the stack is locked", hint: "wait" } });
  expect(failureLines(locked)).toEqual(["✘ tools: the stack is locked", "  next: wait"]);
  const long = failed([[RUN, Array.from({ length: 500 }, (_, i) => `line ${i}`).join("\n")]]);
  expect(failureLines(long)).toHaveLength(11);
  expect(failureLines(long).at(-2)).toBe("    … 492 more lines are in the report");
});

test("the table is within 80 columns, however long a stack's name is", () => {
  const row = ["a-stack-with-a-very-long-name-that-somebody-chose", "open values", "1000", "1000", "1000", "1000", "1000", "59m59s"];
  for (const line of renderTable(TABLE_HEAD, [row], 80).split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("a lab that ended is the one cause: refused connections and cancelled steps only follow from it", () => {
  const error = { code: "E_LAB_DOWN", message: "the lab ended while the run was under way", hint: "start it again" };
  expect(failureLines(failed([[RUN, "connect ECONNREFUSED 127.0.0.1:18080"]], { error }))).toEqual([
    "✘ tools: the lab ended while the run was under way",
    "  next: start it again",
  ]);
});
