/** Each role configures a host of the lab, and a second run finds nothing to do. One role is interrupted here, the others in interrupted.test.ts. */
import { INTERRUPTED_IN_QUICK, ROLE_CASES, SECRETS } from "../support/role-cases";
import { changedIn, type RoleLab, startWithRole } from "../support/role-lab";
import { interruptions } from "./interrupted-suite";

describe.each(Object.keys(ROLE_CASES))("%s", (name) => {
  let lab: RoleLab;
  afterEach(() => lab.stop());

  test("a first run makes the host, a second changes nothing, and no secret is printed", async () => {
    const { role, secrets, ...started } = await startWithRole(name);
    lab = started.lab;
    const before = await lab.host.save();
    const foreseen = await lab.run(role, secrets, "check");
    expect([foreseen.stderr, foreseen.exitCode]).toEqual(["", 0]);
    expect(await lab.host.save()).toEqual(before);
    const first = await lab.run(role, secrets);
    expect([first.stderr, first.exitCode]).toEqual(["", 0]);
    expect(first.summary?.changed).toBeGreaterThan(0);
    const second = await lab.run(role, secrets);
    expect(changedIn(second)).toEqual([]);
    expect(second.summary).toEqual({ changed: 0, unchanged: role.operations.length });
    expect(changedIn(await lab.run(role, secrets, "check"))).toEqual([]);
    for (const secret of Object.values(SECRETS).filter((value) => value.includes("canary")))
      expect(first.stdout + first.stderr + foreseen.stdout).not.toContain(secret);
    expect(lab.ctx.unhandled.all()).toEqual([]);
  });
});

interruptions([INTERRUPTED_IN_QUICK]);
