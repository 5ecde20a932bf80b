/** Where a shell has NODE_ENV=production, npm leaves out the compiler, unless it is told to bring it. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const root = path.join(__dirname, "../..");

test("make installs the compiler too, whatever NODE_ENV says", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-installs-"));
  try {
    for (const name of ["bin", "build", "node_modules"]) fs.mkdirSync(path.join(folder, name));
    fs.copyFileSync(path.join(root, "build/node-version.cjs"), path.join(folder, "build/node-version.cjs"));
    for (const name of ["package.json", "package-lock.json"]) fs.writeFileSync(path.join(folder, name), "{}");
    fs.writeFileSync(path.join(folder, "bin/npm"), '#!/bin/sh\necho "$*" >>"$CALLS"\n', { mode: 0o755 });
    const env = {
      PATH: `${path.join(folder, "bin")}:${process.env["PATH"]}`,
      NODE_ENV: "production",
      npm_config_omit: "dev",
      CALLS: path.join(folder, "calls"),
    };
    const make = () => spawnSync("make", ["-f", path.join(root, "Makefile"), "node_modules/.package-lock.json"], { cwd: folder, env, encoding: "utf8" });
    expect(make()).toMatchObject({ status: 0, stderr: "" });
    expect(make().status).toBe(0);
    // Once: what is installed is newer than the lockfile then.
    expect(fs.readFileSync(env.CALLS, "utf8")).toBe("ci --include=dev --no-audit --no-fund --loglevel=error\n");
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

/** Everything by which this checkout's own packages are installed. Workflows that others use, and images, install those of others. */
const scripts = [
  "Makefile",
  ...[".ci", "pipelines", ".github/workflows"].flatMap((folder) => fs.readdirSync(path.join(root, folder)).map((name) => `${folder}/${name}`)),
  ".gitlab-ci.yml",
].filter((file) => fs.existsSync(path.join(root, file)) && !/\.ts$|\/cypress\.yml$/.test(file) && fs.statSync(path.join(root, file)).isFile());

test("so does each script and pipeline", () => {
  const installs = scripts.flatMap((file) =>
    [...fs.readFileSync(path.join(root, file), "utf8").matchAll(/^[^#\n]*\bnpm (?:ci|i|install)\b.*$/gm)].map(([line]) => ({ file, line })),
  );
  expect(installs.map(({ file }) => file).sort()).toEqual([".ci/run", "Makefile", "pipelines/preview.sh"]);
  expect(installs.filter(({ line }) => !/\bnpm ci --include=dev /.test(line))).toEqual([]);
});
