import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { makePlannedFolder, sweepPlannedFolders } from "./planned-folder";

test("only its owner can read a run's folder; the next run removes that of a killed run, and leaves that of a live one", () => {
  const runs = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-planned-"));
  try {
    const own = makePlannedFolder(runs);
    expect(fs.statSync(own).mode & 0o777).toBe(0o700);
    const dead = spawnSync("true").pid;
    fs.mkdirSync(path.join(runs, `planned-${dead}-x`));
    fs.writeFileSync(path.join(runs, `planned-${dead}-x`, "tools.json"), '{"vaultToken":"hvs.secret"}');
    fs.mkdirSync(path.join(runs, `planned-${process.ppid}-y`));
    fs.writeFileSync(path.join(runs, "report.json"), "{}");
    sweepPlannedFolders(runs);
    expect(fs.readdirSync(runs).toSorted()).toEqual([path.basename(own), `planned-${process.ppid}-y`, "report.json"].toSorted());
  } finally {
    fs.rmSync(runs, { recursive: true });
  }
});
