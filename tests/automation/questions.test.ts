/** What the command line asks at a terminal, and whom it talks to. */
import * as fs from "node:fs";
import * as path from "node:path";
import { AutomationSite, type Ran } from "./site";

// Each test starts several processes; a busy machine takes its time.
jest.setTimeout(240_000);

const site = new AutomationSite();
afterAll(() => site.remove());

/** Runs a command at a terminal; each question takes the next answer, and the last one ends the input. */
function atTerminal(args: string[], answers: string[]): Promise<Ran> {
  let text = "";
  return site.pulumi(args, {
    env: { NODE_OPTIONS: `--require ${JSON.stringify(path.join(__dirname, "../support/as-terminal.cjs"))}`, TERM: "dumb" },
    onOutput: (piece, stdin) => {
      text += piece;
      if (!/(\(yes\/no\/details\) |Please confirm by typing .*: )$/.test(text)) return;
      text = "";
      const answer = answers.shift();
      if (answer === undefined) stdin.end();
      else stdin.write(`${answer}\n`);
    },
  });
}

const DETAIL = '      + name: "thing-0"';

test("up asks after its preview: details shows each property and asks again; no leaves all as it is", async () => {
  await site.pulumi(["stack", "init", "dev"]);
  const { code, stdout, stderr } = await atTerminal(["up"], ["perhaps", "details", "no"]);
  expect([code, stderr]).toEqual([1, expect.stringContaining("confirmation declined, not proceeding with the up")]);
  expect(stdout.match(/Do you want to perform this update\? /g)).toHaveLength(3);
  expect(stdout.split(DETAIL)).toHaveLength(2);
  expect(site.things()).toEqual([]);
});

test("the end of the input is a no; yes does it", async () => {
  expect((await atTerminal(["up"], [])).code).toBe(1);
  expect(site.things()).toEqual([]);
  const { code, stdout } = await atTerminal(["up"], ["yes"]);
  expect([code, stdout]).toEqual([0, expect.stringContaining("thing-0 created")]);
  expect(site.things()).toEqual(["thing-0"]);
});

test("destroy asks too; a stack is removed for who types its name", async () => {
  expect((await atTerminal(["destroy"], ["yes"])).code).toBe(0);
  expect(site.things()).toEqual([]);
  expect((await atTerminal(["stack", "rm"], ["yes"])).stderr).toContain("confirmation declined");
  expect((await atTerminal(["stack", "rm"], ["dev"])).code).toBe(0);
  expect((await site.pulumi(["stack", "ls", "--json"])).stdout).toBe("[]\n");
});

test("history for people: newest first, with counts, time and circumstances", async () => {
  await site.pulumi(["stack", "init", "dev"]);
  await site.pulumi(["up", "--yes", "--message", "why not"]);
  const { stdout } = await site.pulumi(["stack", "history"]);
  expect(stdout).toMatch(
    /^Version: 1\nUpdateKind: update\nStatus: succeeded\nMessage: why not\n\+2-0~0 0 Updated (now|\d+ seconds? ago) took \d+s\n {4}exec\.kind: cli\n[\s\S]* {4}pulumi\.version: 3\.260\.0\n\n$/,
  );
  expect((await site.pulumi(["stack", "ls"])).stdout).toMatch(/^NAME {2}LAST UPDATE +RESOURCE COUNT\ndev\* {2}(now|\d+ seconds? ago) +3\n$/);
});

test("login names the backend that commands use without PULUMI_BACKEND_URL; logout forgets it", async () => {
  const url = `file://${path.join(site.dir, "elsewhere")}`;
  fs.mkdirSync(path.join(site.dir, "elsewhere"));
  const env = { PULUMI_BACKEND_URL: "" };
  expect((await site.pulumi(["whoami"], { env })).stderr).toContain("no backend is set");
  expect((await site.pulumi(["login", "https://api.pulumi.com"], { env })).code).not.toBe(0);
  expect((await site.pulumi(["login", url], { env })).stdout).toContain(`(${url})`);
  expect(JSON.parse((await site.pulumi(["whoami", "--json"], { env })).stdout)).toEqual({ user: expect.any(String), url });
  expect((await site.pulumi(["whoami", "-v"], { env })).stdout).toMatch(new RegExp(`^User: .+\nOrganizations: \nBackend URL: ${url}\nToken type: personal\n$`));
  expect((await site.pulumi(["stack", "ls", "--json"], { env })).stdout).toBe("[]\n");
  expect((await site.pulumi(["logout"], { env })).stdout).toBe(`Logged out of ${url}\n`);
  expect((await site.pulumi(["whoami"], { env })).stderr).toContain("no backend is set");
});
