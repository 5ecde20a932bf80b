import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { valkeyArgs } from "./valkey-args";

/** A stand-in for valkey-server that prints its arguments and its standard input. */
const STAND_IN = '#!/bin/sh\nprintf "%s\\n" "$@"\necho --\ncat\n';

test.each(["plain", 'with "quotes"', "back\\slash", "$(id) `id` $HOME", "blank # and ' more"])(
  "a password is no argument, and arrives as it is: %s",
  (password) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-valkey-args-"));
    try {
      fs.writeFileSync(path.join(folder, "valkey-server"), STAND_IN, { mode: 0o755 });
      const [program = "", ...args] = valkeyArgs("--save", "", "--maxmemory", "96mb");
      expect(JSON.stringify(args)).not.toContain("PASSWORD)");
      const env = { PATH: `${folder}:${process.env["PATH"]}`, PASSWORD: password };
      const [given, configuration = ""] = execFileSync(program, args, { encoding: "utf8", env }).split("\n--\n");
      expect(given?.split("\n")).toEqual(["--save", "", "--maxmemory", "96mb", "-"]);
      const [, quoted = ""] = /^requirepass "(.*)"\n$/.exec(configuration) ?? [];
      expect(quoted.replace(/\\(.)/g, "$1")).toBe(password);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  },
);
