/** A mistake gives one error that names the thing and the next step, and an exit code. */
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { Rehearsal } from "../support/rehearsal";

let rehearsal: Rehearsal;
beforeAll(() => {
  rehearsal = new Rehearsal();
});
afterAll(() => rehearsal.close());

const LAB_START = ["lab", "start", "--latency", "zero", "--bastion-port", "0", "--control-port", "0"];

test("a lab that is not running", async () => {
  const { code, stderr } = await rehearsal.homelab("up", "--lab");
  expect([code, stderr]).toEqual([1, "error: the lab is not running\n  next: start it with `npx homelab lab start` (or `make lab`)\n"]);
});

test.each([
  [["frobnicate"], "there is no command frobnicate\n  next: use one of: up, preview, "],
  [["up", "--lbb"], "unknown option '--lbb'\n  next: did you mean --lab? See `homelab help up`"],
  [["previw"], "there is no command previw\n  next: did you mean preview? See `homelab help`"],
  [["lab", "stat"], "lab takes start, stop, status or env, not stat\n  next: did you mean start? See `homelab help lab`"],
  [["lab", "stop", "--latency", "zero"], "unknown option '--latency'\n  next: see `homelab help lab stop`"],
  [["graph", "--format", "png"], "--format takes mermaid, dot, json, not png"],
])(
  "a command line that is wrong: %j",
  async (args, message) => {
    const { code, stderr } = await rehearsal.homelab(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  },
  60_000,
);

test("no age key", async () => {
  const backend = path.join(rehearsal.dir, "backend");
  fs.mkdirSync(backend);
  const { code, stdout, stderr } = await rehearsal.start(["preview", "dev", "--only"], {
    env: {
      PULUMI_BACKEND_URL: `file://${backend}`,
      PULUMI_CONFIG_PASSPHRASE: "of the test",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    },
  }).done;
  expect(code).toBe(1);
  expect(stdout + stderr).toContain("there is no age key to decrypt the secrets with");
  expect(stdout + stderr).toContain("SOPS_AGE_KEY_FILE");
}, 120_000);

test("a port in use", async () => {
  const taken = net.createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  try {
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? String(address.port) : "";
    const { code, stderr } = await rehearsal.homelab(...LAB_START, "--proxy-port", port);
    expect(code).toBe(1);
    expect(stderr).toContain(port);
    expect(stderr).toContain("--proxy-port");
  } finally {
    await new Promise((resolve) => taken.close(resolve));
  }
});

test("an unknown stack is refused by name, and a state file that is cut short is named and left as it is", async () => {
  await rehearsal.startLab();
  const unknown = await rehearsal.homelab("preview", "tolls", "--lab");
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain("there is no stack tolls\n  next: did you mean tools? The stacks are: tools, ");

  const folder = path.join(rehearsal.dir, "state", ".pulumi", "stacks", "homelab");
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "..", "..", "meta.yaml"), "version: 1\n");
  const file = path.join(folder, "tools.json");
  const half = '{"version":3,"checkpoint":{"stack":"organization/homelab/tools","latest":{"manifest":{"time":"2026-';
  fs.writeFileSync(file, half);
  const { code, stdout, stderr } = await rehearsal.homelab("up", "tools", "--lab");
  expect(code).toBe(1);
  expect(stdout + stderr).toContain(file);
  expect(fs.readFileSync(file, "utf8")).toBe(half);
  expect(await rehearsal.writes()).toEqual([]);
}, 240_000);
