import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { SESSION } from "../../../tests/support/session-options";
import { workerConfig } from "./cloud-config";

/** Runs the worker's script with stand-ins for the programs that it calls. @param answersAt number of the first request that is answered */
function joinWorker(answersAt: number): { status: number | null; asked: number; joined: boolean } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-worker-"));
  try {
    const standIn = (name: string, does: string): void => fs.writeFileSync(path.join(folder, name), `#!/bin/sh\n${does}\n`, { mode: 0o755 });
    standIn("curl", `echo >> ${folder}/asked; [ "$(wc -l < ${folder}/asked)" -ge ${answersAt} ]`);
    standIn("kubeadm", `[ "$*" = "join --config /root/kubeadm.yaml" ] && echo > ${folder}/joined`);
    for (const name of ["sleep", "rm", "find"]) standIn(name, "exit 0");
    const { runcmd } = parse(workerConfig({ ...SESSION, namespace: "session-a1" })) as { runcmd: [string, string, string][] };
    const { status } = spawnSync("sh", ["-c", runcmd[0]?.[2] ?? "exit 99"], {
      // The script begins to count at 0, whatever `tries` it inherits.
      env: { PATH: `${folder}:${process.env["PATH"]}`, tries: "100" },
      stdio: "ignore",
    });
    return { status, asked: fs.readFileSync(path.join(folder, "asked"), "utf8").length, joined: fs.existsSync(path.join(folder, "joined")) };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

test("the worker joins once the control plane answers, and gives up on one that does not answer in 15 minutes", () => {
  expect(joinWorker(3)).toEqual({ status: 0, asked: 3, joined: true });
  // 180 requests, 5 seconds apart.
  expect(joinWorker(1000)).toEqual({ status: 1, asked: 180, joined: false });
});
