import { isProcessAlive } from "../../common/processes";
import { startPlugin } from "./plugin-process";

jest.setTimeout(60_000);

test("a plugin that hangs before it tells its port, and heeds no signal, is ended with the run's first signal", async () => {
  const cancelled = new AbortController();
  const script = 'process.on("SIGINT", () => {}); process.on("SIGTERM", () => {}); console.error("pid", process.pid); for (;;) {}';
  let pid = 0;
  const started = startPlugin({
    ...{ file: process.execPath, args: ["-e", script], cwd: process.cwd(), env: process.env, signal: cancelled.signal },
    onLog: (line) => {
      pid = Number(line.split(" ")[1]);
      cancelled.abort();
    },
  });
  await expect(started).rejects.toThrow("exited prematurely before it told its port");
  expect(pid).toBeGreaterThan(0);
  expect(isProcessAlive(pid)).toBe(false);
});

test("one that has told its port is nobody's to end at the first signal: it may be in the middle of a creation", async () => {
  const cancelled = new AbortController();
  const plugin = await startPlugin({
    ...{ file: process.execPath, args: ["-e", "console.log(4711); setInterval(() => {}, 1000);"], cwd: process.cwd(), env: process.env },
    ...{ signal: cancelled.signal, onLog: () => undefined },
  });
  cancelled.abort();
  expect(await plugin.ended()).toBeUndefined();
  plugin.kill();
});
