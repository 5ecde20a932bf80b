import { spawnSync } from "node:child_process";
import { gcOptions } from "./gc-options";

test("on few processors garbage is collected without further threads, by an option that this Node knows", () => {
  expect([gcOptions(1), gcOptions(2), gcOptions(3)]).toEqual([["--single-threaded-gc"], ["--single-threaded-gc"], []]);
  const { status, stderr } = spawnSync(process.execPath, [...gcOptions(2), "-e", ""], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
});
