/** The questions of `homelab init`. This checkout already has a site, so after all answers it writes nothing. */
import { spawn } from "node:child_process";
import * as path from "node:path";

jest.setTimeout(60_000);

const ROOT = path.join(__dirname, "..", "..");

interface Said {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `homelab init` and answers each question when it is asked, as a person does. */
function init(args: readonly string[], answers: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Said> {
  const child = spawn(process.execPath, [path.join(ROOT, "orchestrator/bin/homelab"), "init", ...args], {
    env: { PATH: "/usr/bin:/bin", HOME: "/nonexistent", NO_COLOR: "1", ...env },
  });
  const left = [...answers];
  let [stdout, stderr] = ["", ""];
  // Without answers, standard input is closed at once.
  if (left.length === 0) child.stdin.end();
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    if (!stdout.endsWith("]: ")) return;
    const answer = left.shift();
    if (answer !== undefined) child.stdin.write(`${answer}\n`);
    // After the last answer the pipe is closed: the process would wait for its end.
    if (left.length === 0) child.stdin.end();
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

const terminal = { NODE_OPTIONS: `--require ${JSON.stringify(path.join(__dirname, "../support/as-terminal.cjs"))}`, TERM: "xterm" };

test("each question has a default, the next ones follow from the answers, and an answer that cannot be is asked for again", async () => {
  const { code, stdout, stderr } = await init(["--user", "ops"], ["example.org", "10.20.0.7/24", "10.20.0.0/24", "", "one,two", ""], terminal);
  expect(stdout.split(/(?<=\]: )/)).toEqual([
    "Domain of all host names [home.arpa]: ",
    "Network of the hosts [192.168.0.0/24]: ",
    "Network of the hosts [192.168.0.0/24]: ",
    "Proxmox nodes as NAME=ADDRESS, with commas [pve=10.20.0.2]: ",
    "Stacks, the one with the hosts' own services first [tools,dev]: ",
    "Certificates: own (an authority of this homelab) or cloudflare (Let's Encrypt, for a public domain there) [own]: ",
  ]);
  expect(stderr.split("\n")[0]).toBe(`--network takes the network's own address (10.20.0.0/24), not "10.20.0.7/24"`);
  expect(stderr).toMatch(
    /^error: site, secrets\/common, \.sops\.yaml already exist, and nothing is overwritten\n {2}next: this checkout describes a homelab: /m,
  );
  expect(code).toBe(1);
});

test("an end of the input is no answer", async () => {
  const { code, stderr } = await init([], ["example.org"], terminal);
  expect([code === 0, stderr]).toEqual([false, expect.stringContaining("the questions were not answered; nothing was written")]);
});

test("without a terminal nothing is guessed", async () => {
  const { code, stdout, stderr } = await init(["--domain", "example.org"], []);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toBe("error: there is no terminal to ask at\n  next: give what differs from the defaults by flags, and --yes for the rest\n");
});

test("a node by its name and one from Proxmox at once is refused, before anything is asked of it", async () => {
  const { code, stderr } = await init(["--yes", "--proxmox", "https://127.0.0.1:1", "--node", "pve=10.20.0.2"], []);
  expect([code, stderr]).toEqual([2, expect.stringContaining("--proxmox reads the nodes, and --node names them: take one of the two")]);
  const asked = await init(["--yes", "--proxmox", "https://127.0.0.1:1"], []);
  const says = "no value for the secret of the token homelab@pve!pulumi: standard input is empty\n  next: put it into HOMELAB_PROXMOX_TOKEN";
  expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining(says)]);
});
