import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { lastSeen, laterThan, refuseIfWentOn } from "./went-on";

const at = (time: string): number => Date.parse(`2026-11-30T${time}Z`);
const update = (time: string, kind = "update") => ({ kind, startTime: `2026-11-30T${time}Z` });

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "went-on-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

test("a run was last seen at its last event, also where that is cut; without events at the last line of its journal", () => {
  const lines = [
    { kind: "run-started", at: at("10:00:00") },
    { kind: "stack-started", at: at("10:00:01") },
  ];
  expect(lastSeen({ dir, lines })).toBe(at("10:00:01"));
  fs.writeFileSync(path.join(dir, "events.jsonl"), `{"kind":"step-done","at":${at("10:00:05")}}\n{"kind":"step-d`);
  expect(lastSeen({ dir, lines })).toBe(at("10:00:05"));
  expect(lastSeen({ dir: path.join(dir, "none"), lines: [] })).toBe(0);
});

test("the run's own operation is older than its last event; of later ones the newest is reported", () => {
  expect(laterThan(at("10:00:05"), [update("09:00:00"), update("10:00:02", "destroy")])).toBeUndefined();
  expect(laterThan(at("10:00:05"), [update("10:20:00"), update("10:30:00", "destroy"), update("10:00:02")])).toEqual(update("10:30:00", "destroy"));
  expect(laterThan(at("10:00:05"), [{ kind: "update", startTime: "yesterday" }])).toMatchObject({ startTime: "yesterday" });
});

test("a destroy that was cut is not resumed over what another machine has built since; a stack that is gone has no history to ask", async () => {
  const asked: string[] = [];
  const engine =
    (history: object[]) =>
    async (args: readonly string[]): Promise<string> => {
      asked.push(args.join(" "));
      return JSON.stringify(args[1] === "ls" ? [{ name: "dev" }, { name: "prod" }] : history);
    };
  const record = { dir, lines: [{ kind: "stack-started", at: at("10:00:01") }] };
  const cut = { operation: "destroy", stacks: ["gone", "prod"] };
  await expect(refuseIfWentOn(record, cut, engine([update("09:00:00")]))).resolves.toBeUndefined();
  await expect(refuseIfWentOn(record, cut, engine([update("09:00:00"), update("10:15:00")]))).rejects.toMatchObject({
    code: "E_WENT_ON",
    message: "another run has worked on prod since this one was cut: update of 2026-11-30T10:15:00Z",
    hint: expect.stringContaining("`homelab destroy gone prod` goes on"),
  });
  expect(asked).toEqual(["stack ls --json", "stack history --stack prod --json", "stack ls --json", "stack history --stack prod --json"]);
});
