/** Files that secrets/ writes, and files that the real sops writes, each read by the other. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { generateIdentity } from "../../secrets/age";
import { decryptSopsFile, encryptSopsFile, type SecretTree } from "../../secrets/sops-file";
import { describeReal } from "../support/real-parts";

const TREE: SecretTree = { vault: { kv: { a: { text: "it's\nünïcode", number: 5432, float: 1.5, flag: true, off: false, empty: "" } } } };
const WHEN = new Date("2025-11-14T06:20:46.123Z");

describeReal(["sops"], "sops", (pathOf) => {
  const identity = generateIdentity();
  const other = generateIdentity();
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-sops-"));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  const decrypt = (text: string, keys = [identity]) => decryptSopsFile("f.yaml", text, keys);

  function sops(args: readonly string[], key = identity.secret) {
    return spawnSync(pathOf("sops"), args, { encoding: "utf8", cwd: folder, env: { PATH: process.env["PATH"], HOME: folder, SOPS_AGE_KEY: key } });
  }

  function succeed(args: readonly string[], key?: string): string {
    const result = sops(args, key);
    expect([result.status, result.stderr]).toEqual([0, ""]);
    return result.stdout;
  }

  const file = () => path.join(folder, "a.yaml");

  test("what is written here opens with the real sops, with every type of value", () => {
    fs.writeFileSync(file(), encryptSopsFile(TREE, [identity.recipient], WHEN));
    expect(JSON.parse(succeed(["decrypt", "--output-type", "json", file()]))).toEqual(TREE);
  });

  test("what the real sops changes in our file opens here", async () => {
    fs.writeFileSync(file(), encryptSopsFile(TREE, [identity.recipient], WHEN));
    succeed(["set", file(), '["vault"]["kv"]["a"]["text"]', '"changed"']);
    expect(await decrypt(fs.readFileSync(file(), "utf8"))).toMatchObject({ vault: { kv: { a: { text: "changed", number: 5432 } } } });
  });

  test("what the real sops writes opens here", async () => {
    fs.writeFileSync(path.join(folder, "plain.json"), JSON.stringify(TREE));
    const text = succeed(["encrypt", "--age", identity.recipient, "--input-type", "json", "--output-type", "yaml", path.join(folder, "plain.json")]);
    expect(text).not.toContain("ünïcode");
    expect(await decrypt(text)).toEqual(TREE);
  });

  test("a file for two recipients opens with either key, in both directions", async () => {
    fs.writeFileSync(file(), encryptSopsFile(TREE, [identity.recipient, other.recipient], WHEN));
    expect(JSON.parse(succeed(["decrypt", "--output-type", "json", file()], other.secret))).toEqual(TREE);
    fs.writeFileSync(path.join(folder, "plain.json"), JSON.stringify(TREE));
    const both = `${identity.recipient},${other.recipient}`;
    const text = succeed(["encrypt", "--age", both, "--input-type", "json", "--output-type", "yaml", path.join(folder, "plain.json")]);
    expect(await decrypt(text, [other])).toEqual(TREE);
  });

  test("a value that was changed by hand is refused by both", async () => {
    const text = encryptSopsFile(TREE, [identity.recipient], WHEN).replace(
      /(text: ENC\[AES256_GCM,data:)(.)/,
      (_, head: string, c: string) => head + (c === "A" ? "B" : "A"),
    );
    fs.writeFileSync(file(), text);
    expect(sops(["decrypt", file()]).status).not.toBe(0);
    await expect(decrypt(text)).rejects.toThrow();
  });

  test("another key opens nothing", () => {
    fs.writeFileSync(file(), encryptSopsFile(TREE, [identity.recipient], WHEN));
    expect(sops(["decrypt", file()], other.secret)).toMatchObject({ status: 128, stdout: "" });
  });
});
