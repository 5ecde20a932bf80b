/** Tests of a role that is interrupted: the next run continues. */
import { type Role, roleFailure } from "../../ansible-replacements";
import { changedIn, type RoleLab, startWithRole } from "../support/role-lab";

/** The role up to one operation, which fails before its last command if it has something to do. */
function cut(role: Role, index: number): Role {
  return {
    ...role,
    operations: role.operations
      .slice(0, index + 1)
      .map((operation, i) => (i === index ? { ...operation, apply: [...operation.apply.slice(0, -1), "(exit 9)"] } : operation)),
  };
}

/** @returns a function that makes the nth write to the disk fail, counted from its call */
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

/** Interrupts each operation, and fills the disk at each write. @param names of roles of ROLE_CASES */
export function interruptions(names: readonly string[]): void {
  describe.each(names)("%s, interrupted", (name) => {
    let lab: RoleLab;
    afterEach(() => lab.stop());
    const start = async () => {
      const started = await startWithRole(name);
      lab = started.lab;
      return started;
    };

    test("cut in each operation in turn, with a restart of the host after each cut: the next run goes on, and the last one leaves nothing to do", async () => {
      const { role, secrets } = await start();
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
      expect(changedIn(await lab.run(role, secrets))).toEqual([]);
      expect((await lab.sh("find / -name '*.homelab-part'")).trim()).toBe("");
      expect(lab.ctx.unhandled.all()).toEqual([]);
    });

    test("a disk that is full at each write in turn: operation and host are named, and the runs after it go on until nothing is left to do", async () => {
      const { role, secrets } = await start();
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
        // After a failure that was seen already, the next write fails instead. A new operation starts with its first write again.
        const failure = `${operation}: ${stderr}`;
        if (failures.has(failure)) write += 1;
        else if (operation !== before) write = 1;
        before = operation;
        failures.add(failure);
      }
      expect(failures.size).toBeGreaterThan(0);
      expect(changedIn(await lab.run(role, secrets))).toEqual([]);
      expect((await lab.sh("find / -name '*.homelab-part'")).trim()).toBe("");
      expect(lab.ctx.unhandled.all()).toEqual([]);
    });
  });
}
