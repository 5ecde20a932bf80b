import { type Role, roleFailure } from "../../ansible-replacements";
import { ROLE_CASES, SECRETS } from "../support/role-cases";
import { type RoleLab, startRoleLab } from "../support/role-lab";

let lab: RoleLab;
afterEach(() => lab.stop());

const changed = (report: { operations: { operation: string; status: string }[] }) =>
  report.operations.filter(({ status }) => status !== "ok").map(({ operation, status }) => `${status} ${operation}`);

async function prepared(name: string) {
  const found = ROLE_CASES[name]?.();
  if (found === undefined) throw new Error(`no role ${name}`);
  lab = await startRoleLab(found.disk);
  const { before, role, secrets = {} } = found;
  if (before !== undefined) expect(await lab.run(before, secrets)).toMatchObject({ exitCode: 0, stderr: "" });
  return { role, secrets };
}

/** The role up to an operation that fails before its last command, if there is something to do for it. */
function cut(role: Role, index: number): Role {
  return {
    ...role,
    operations: role.operations
      .slice(0, index + 1)
      .map((operation, i) => (i === index ? { ...operation, apply: [...operation.apply.slice(0, -1), "(exit 9)"] } : operation)),
  };
}

/** @returns lets one write to the disk fail, counted from the call */
function fullDisk({ ctx: { faults } }: RoleLab): (write: number) => void {
  let left = 0;
  const take = faults.take.bind(faults);
  faults.take = (fault, target) => {
    if (fault !== "disk.full") return take(fault, target);
    left -= 1;
    return left === 0 ? {} : undefined;
  };
  return (write) => {
    left = write;
  };
}

describe.each(Object.keys(ROLE_CASES))("%s", (name) => {
  test("a first run makes the host, a second changes nothing, and no secret is printed", async () => {
    const { role, secrets } = await prepared(name);
    const before = await lab.host.save();
    const foreseen = await lab.run(role, secrets, "check");
    expect([foreseen.stderr, foreseen.exitCode]).toEqual(["", 0]);
    expect(await lab.host.save()).toEqual(before);
    const first = await lab.run(role, secrets);
    expect([first.stderr, first.exitCode]).toEqual(["", 0]);
    expect(first.summary?.changed).toBeGreaterThan(0);
    const second = await lab.run(role, secrets);
    expect(changed(second)).toEqual([]);
    expect(second.summary).toEqual({ changed: 0, unchanged: role.operations.length });
    expect(changed(await lab.run(role, secrets, "check"))).toEqual([]);
    for (const secret of Object.values(SECRETS).filter((value) => value.includes("canary")))
      expect(first.stdout + first.stderr + foreseen.stdout).not.toContain(secret);
    expect(lab.ctx.unhandled.all()).toEqual([]);
  });

  test("cut in each operation in turn, with a restart of the host after each cut: the next run goes on, and the last one leaves nothing to do", async () => {
    const { role, secrets } = await prepared(name);
    let cuts = 0;
    for (const [index, operation] of role.operations.entries()) {
      const report = await lab.run(cut(role, index), secrets);
      expect(report.operations).toHaveLength(index + 1);
      const { status, ...rest } = report.operations.at(-1) ?? {};
      if (status === "ok") continue;
      cuts++;
      expect({ status, ...rest }).toMatchObject({ operation: operation.name, status: "failed", phase: "apply", exitCode: 9 });
      expect(report.stderr).toContain(" failed on k8s-dev (apply, exit code 9): ");
      expect(report.summary).toBeUndefined();
      await lab.restart();
    }
    expect(cuts).toBeGreaterThan(1);
    const last = await lab.run(role, secrets);
    expect([last.stderr, last.exitCode]).toEqual(["", 0]);
    expect(changed(await lab.run(role, secrets))).toEqual([]);
    expect((await lab.sh("find / -name '*.homelab-part'")).trim()).toBe("");
    expect(lab.ctx.unhandled.all()).toEqual([]);
  });

  test("a disk that is full at each write in turn: operation and host are named, and the runs after it go on until nothing is left to do", async () => {
    const { role, secrets } = await prepared(name);
    const fullAt = fullDisk(lab);
    const failures = new Set<string>();
    let before: string | undefined;
    for (let write = 1; ; ) {
      fullAt(write);
      const full = await lab.run(role, secrets);
      if (full.exitCode === 0) break;
      const { operation, stderr, ...rest } = full.operations.at(-1) ?? {};
      expect(rest).toMatchObject({ status: "failed", phase: "apply" });
      expect(stderr).toMatch(/No space left on device|enough free space/);
      expect(roleFailure(full, "k8s-dev")?.message).toContain(`k8s-dev: operation "${operation}" failed (apply, exit code `);
      // One that failed already passes the next time, and the one after it fails; a new operation is looked at from its first write on.
      const failure = `${operation}: ${stderr}`;
      if (failures.has(failure)) write += 1;
      else if (operation !== before) write = 1;
      before = operation;
      failures.add(failure);
    }
    expect(failures.size).toBeGreaterThan(0);
    expect(changed(await lab.run(role, secrets))).toEqual([]);
    expect((await lab.sh("find / -name '*.homelab-part'")).trim()).toBe("");
    expect(lab.ctx.unhandled.all()).toEqual([]);
  }, 30_000);
});
