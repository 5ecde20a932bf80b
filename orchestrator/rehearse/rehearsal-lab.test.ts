import * as fs from "node:fs";
import { EXIT } from "../cli/exit-codes";
import { RehearsalLab } from "./rehearsal-lab";

test("after an interrupt no other command begins, and the folder goes", async () => {
  const lab = new RehearsalLab(60_000);
  try {
    lab.interrupt();
    expect(await lab.homelab("help")).toEqual({ code: EXIT.interrupted, stdout: "", stderr: "interrupted before it began", report: undefined });
  } finally {
    await lab.close();
  }
  expect(fs.existsSync(lab.dir)).toBe(false);
});
