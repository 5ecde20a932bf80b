import { stackFailure } from "./stack-failure";

/** As the Automation API makes it of the CLI's output, which the embedded engine writes the same. */
const concurrent = (...locks: string[]): Error =>
  Object.assign(
    new Error(
      [
        "code: 255",
        " stdout: ",
        ` stderr: error: the stack is currently locked by ${locks.length} lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.`,
        ...locks,
      ].join("\n"),
    ),
    { name: "ConcurrentUpdateError" },
  );

test("a stack that another run holds: who, in which process and since when, once each", () => {
  const lock = "  file:///srv/state/.pulumi/locks/organization/homelab/dev/1a85ee9b.json: created by root@vm (pid 8969) at 2026-11-30T10:27:33.211Z";
  expect(stackFailure(concurrent(lock, lock, lock.replace("root@vm (pid 8969)", "ops@laptop (pid 12)")), [], false)).toEqual({
    code: "E_LOCKED",
    class: "locked",
    message: "another run holds the stack: root@vm (process 8969, since 2026-11-30T10:27:33.211Z), ops@laptop (process 12, since 2026-11-30T10:27:33.211Z)",
  });
  expect(stackFailure(concurrent(), [], false).message).toBe("another run holds the stack");
});

test("what failed because too many files are open says what to raise, and what to lower", () => {
  const errors = [{ message: "PUT https://vault.example.org: no answer\n  because: connect EMFILE 127.0.0.1:1\n  next: run it again" }];
  expect(stackFailure(new Error("x"), errors, false)).toMatchObject({
    hint: "raise the limit of open files (ulimit -n 1024), or lower --concurrency and --parallel",
  });
});
