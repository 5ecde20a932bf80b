import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { CLOSED_PORT } from "../tests/support/ports";
import { testWhere } from "../tests/support/skips";
import { describeError, HomelabError } from "./errors";

const caught = async (act: () => unknown): Promise<unknown> => {
  try {
    await act();
  } catch (thrown) {
    return thrown;
  }
  throw new Error("nothing was thrown");
};

const BUG = "This is a bug in homelab";

test("only what nobody foresaw is called a bug", async () => {
  expect(describeError(new TypeError("x is undefined"))).toContain(BUG);
  expect(describeError(new HomelabError("E_X", "known", { hint: "do this" }))).toBe("known\n  next: do this");
});

test("what somebody typed, or another program said, neither moves the cursor nor changes colours", () => {
  const cause = new Error("tool: \u001b[2Jgone\r\nnext\u0007");
  const text = describeError(new HomelabError("E_X", 'there is no stack "\u001b[31mred\rü"', { cause, hint: "a\tb\u009b1m" }));
  expect(text).toBe('there is no stack "\\x1b[31mred\\x0dü"\n  because: tool: \\x1b[2Jgone\nnext\\x07\n  next: a\tb\\x9b1m');
});

test("of an input that zod refuses, the places and the reasons are shown, and no page of JSON", async () => {
  const shape = z.object({ version: z.literal(1), kind: z.enum(["real", "lab"]), steps: z.array(z.object({ op: z.string() })) });
  const because = async (input: unknown): Promise<string> =>
    describeError(new HomelabError("E_X", "it is no plan", { cause: await caught(() => shape.parse(input)) })).split("\n  because: ")[1] ?? "";
  expect(await because({ version: 9, steps: [{ op: 1 }] })).toBe(
    'version: Invalid input: expected 1; kind: Invalid option: expected one of "real"|"lab"; steps.0.op: Invalid input: expected string, received number',
  );
  expect(await because(null)).toBe("Invalid input: expected object, received null");
});

test("a server that is not there, and one whose certificate is not trusted, are no bugs", async () => {
  const refused = describeError(await caught(() => fetch(`http://127.0.0.1:${CLOSED_PORT}/`)));
  expect(refused).toMatch(/^connect ECONNREFUSED 127\.0\.0\.1:\d+: nobody listens there\n {2}next: .*homelab lab start/);
  expect(refused).not.toContain(BUG);
  const altName = Object.assign(new Error("Hostname/IP does not match certificate's altnames"), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  expect(describeError(altName)).toBe(
    "Hostname/IP does not match certificate's altnames: its certificate is for another name\n  next: look at the address, and at the certificate that is served there",
  );
});

test.each([
  ["no-such-package", "no-such-package"],
  ["no-such-package/deep/file.js", "no-such-package"],
  ["@no-such/package", "@no-such/package"],
])("a package that is not installed (%s) is no bug: a checkout was brought up to date", async (wanted, name) => {
  const text = describeError(await caught(() => require(wanted)));
  expect(text).toBe(`the package ${name} is not installed in this checkout\n  next: npm ci`);
});

test("a file of ours that is missing is a bug", async () => {
  expect(describeError(await caught(() => require(["./no-such", "file"].join("-"))))).toContain(BUG);
});

test.each([
  ["a folder in a file's place", (at: string) => fs.mkdirSync(at), /^EISDIR: .*: a folder is where a file should be\n {2}next: look at the path/],
  ["a link to itself", (at: string) => fs.symlinkSync(at, at), /^ELOOP: .*: its symbolic links lead in a circle\n {2}next: look at the path/],
])("%s is no bug", async (_, make, said) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-errors-"));
  try {
    const at = path.join(folder, "x");
    make(at);
    expect(describeError(await caught(() => fs.readFileSync(at)))).toMatch(said);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

const full = testWhere(fs.existsSync("/dev/full"), "this system has no /dev/full");
full("a full disk is no bug", async () => {
  const text = describeError(await caught(() => fs.writeFileSync("/dev/full", "x")));
  expect(text).toBe("ENOSPC: no space left on device, write\n  next: make room, then run it again: it goes on from the saved state");
});
