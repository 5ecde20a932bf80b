import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import type { Role } from "../../ansible-replacements";
import * as commands from "../../ansible-replacements/operations/commands";
import * as downloads from "../../ansible-replacements/operations/downloads";
import * as files from "../../ansible-replacements/operations/files";
import * as kernel from "../../ansible-replacements/operations/kernel";
import * as mounts from "../../ansible-replacements/operations/mounts";
import * as packages from "../../ansible-replacements/operations/packages";
import * as repositories from "../../ansible-replacements/operations/repositories";
import * as services from "../../ansible-replacements/operations/services";
import * as users from "../../ansible-replacements/operations/users";
import { startRoleLab } from "../support/role-lab";

/** A case: one operation on one host. */
const caseSchema = z.strictObject({
  operation: z.string(),
  arguments: z.array(z.unknown()),
  /** Commands that prepare the host. */
  given: z.array(z.string()),
  /** Part of the output in check mode; empty if the operation has nothing to do. */
  would: z.string(),
  /** Text that the output of check mode must not have. */
  hides: z.string().optional(),
  /** Part of the error; the operation succeeds without it. */
  fails: z.string().optional(),
  /** Commands to run afterwards, each with its exact output. */
  // biome-ignore lint/suspicious/noThenProperty: a word of the cases
  then: z.record(z.string(), z.string()),
});

const OPERATIONS: Readonly<Record<string, unknown>> = {
  ...commands,
  ...downloads,
  ...files,
  ...kernel,
  ...mounts,
  ...packages,
  ...repositories,
  ...services,
  ...users,
};
const FOLDER = path.join(__dirname, "..", "..", "ansible-replacements", "cases");
const CASES = fs
  .readdirSync(FOLDER)
  .flatMap((operation) => fs.readdirSync(path.join(FOLDER, operation)).map((name) => `${operation}/${name.replace(/\.json$/, "")}`));

function roleOf({ operation, arguments: args }: z.infer<typeof caseSchema>): Role {
  const make = OPERATIONS[operation];
  if (typeof make !== "function") throw new Error(`no operation ${operation}`);
  const made: unknown = make(...args);
  return { name: "case", operations: [made].flat() as Role["operations"] };
}

test.each(CASES)("%s", async (name) => {
  const found = caseSchema.parse(JSON.parse(fs.readFileSync(path.join(FOLDER, `${name}.json`), "utf8")));
  expect(name.split("/")[0]).toBe(found.operation);
  const lab = await startRoleLab({ id: "usb-lab" });
  try {
    for (const line of found.given) await lab.sh(line);
    const role = roleOf(found);
    const before = await lab.host.save();
    const foreseen = await lab.run(role, {}, "check");
    expect(foreseen.exitCode).toBe(0);
    expect(foreseen.summary?.changed).toBeGreaterThan(0);
    expect(foreseen.operations.map(({ detail = "" }) => detail).join("\n")).toContain(found.would);
    if (found.hides !== undefined) expect(foreseen.stdout).not.toContain(found.hides);
    expect(await lab.host.save()).toEqual(before);
    const first = await lab.run(role);
    if (found.fails === undefined) expect([first.stderr, first.exitCode]).toEqual(["", 0]);
    else expect(first.operations.at(-1)).toMatchObject({ status: "failed", stderr: expect.stringContaining(found.fails) });
    if (found.fails === undefined) expect((await lab.run(role)).summary).toEqual({ changed: 0, unchanged: role.operations.length });
    for (const [line, output] of Object.entries(found.then)) expect([line, await lab.sh(line)]).toEqual([line, output]);
    expect(lab.ctx.unhandled.all()).toEqual([]);
  } finally {
    await lab.stop();
  }
});
