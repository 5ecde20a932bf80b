import { runOwnCommand } from "./own-command";
import type { Session } from "./session";

/** The part of a session that such a command uses. */
function session(): { session: Session; printed: () => string; interrupt: () => void } {
  let printed = "";
  const listeners = new Set<() => void>();
  const own: Pick<Session, "err" | "onInterrupt"> = {
    err: (text) => {
      printed += text;
    },
    onInterrupt: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const interrupt = (): void => {
    for (const listener of listeners) listener();
  };
  return { session: own as Session, printed: () => printed, interrupt };
}

const node = (script: string): string[] => [process.execPath, "-e", script];

test("what it prints goes through the session, and it gets the given environment variables", async () => {
  const { session: own, printed } = session();
  expect(await runOwnCommand(node('console.log(process.env.TOLD); console.error("and this")'), { TOLD: "this" }, own)).toBeUndefined();
  expect(printed().split("\n").toSorted()).toEqual(["", "and this", "this"]);
});

test.each([
  ["an exit code", node("process.exit(3)"), "ended with exit code 3"],
  ["no such program", ["/nonexistent/program"], "could not be started: spawn /nonexistent/program ENOENT"],
])("a failure is returned as text: %s", async (_, command, said) => {
  expect(await runOwnCommand(command, {}, session().session)).toBe(said);
});

test("an interrupt ends it", async () => {
  const { session: own, printed, interrupt } = session();
  const ended = runOwnCommand(node('console.log("on"); setInterval(() => {}, 1000)'), {}, own);
  while (!printed().includes("on")) await new Promise((resolve) => setTimeout(resolve, 20));
  interrupt();
  expect(await ended).toBe("was ended by SIGTERM");
});

test("one that takes too long is ended, also where what it started holds its output open", async () => {
  const { session: own } = session();
  const hangs = `require("child_process").spawn(process.execPath, ["-e", "setTimeout(() => {}, 30_000)"], { stdio: "inherit" }); setInterval(() => {}, 1000)`;
  const pipes = () => process.getActiveResourcesInfo().filter((name) => name === "PipeWrap").length;
  const [begin, before] = [Date.now(), pipes()];
  expect(await runOwnCommand(node(hangs), {}, own, 1_000)).toBe("did not end within 1 seconds");
  expect(Date.now() - begin).toBeLessThan(25_000);
  const leaves = `require("child_process").spawn(process.execPath, ["-e", "setTimeout(() => {}, 30_000)"], { stdio: "inherit" }).unref()`;
  expect(await runOwnCommand(node(leaves), {}, own, 1_000)).toBe("did not end within 1 seconds");
  while (pipes() > before) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(Date.now() - begin).toBeLessThan(25_000);
  expect(await runOwnCommand(node(""), {}, own, 60_000)).toBeUndefined();
});
