import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { newAuthority } from "../../common/authority";
import { missingSshTools } from "../hosts/ssh-tools";
import { builtThings } from "./ask-homelab";
import { backendFinding, certificateFinding, diskFinding, sshFinding } from "./doctor-checks";

const DAY = 86_400_000;

test("a certificate that ends soon is worth a look, one that ended is wrong", async () => {
  const { cert } = await newAuthority("test");
  const end = Date.parse(new X509Certificate(cert).validTo);
  expect([60, 29, -2].map((days) => certificateFinding(cert, end - days * DAY).verdict)).toEqual(["ok", "look", "wrong"]);
  expect(certificateFinding(cert, end - 29 * DAY).says).toMatch(/^ends in 29 days/);
});

test("a disk without room", () => {
  expect([20, 0.5, 0.01].map((gib) => diskFinding(gib * 1024 ** 3).verdict)).toEqual(["ok", "look", "wrong"]);
});

test("ssh that is not installed is worth a look: runs need none", () => {
  expect(sshFinding([])).toMatchObject({ verdict: "ok" });
  const path = process.env["PATH"];
  process.env["PATH"] = "/nowhere";
  try {
    expect(sshFinding(missingSshTools())).toEqual({
      verdict: "look",
      says: "ssh, ssh-agent, ssh-add cannot be found on PATH: `homelab ssh` opens no session",
      next: "install OpenSSH's client",
    });
  } finally {
    process.env["PATH"] = path;
  }
});

test("a backend that is not set, has no passphrase, or is no folder that can be written", () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-doctor-"));
  try {
    const of = (url: string | undefined, passphrase = true): string => backendFinding(url, passphrase).verdict;
    expect([of(undefined), of(`file://${dir}`, false), of(`file://${dir}`), of(`file://${dir}/none`), of("s3://bucket"), of("file:///srv/100%/state")]).toEqual(
      ["wrong", "wrong", "ok", "wrong", "ok", "wrong"],
    );
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
});

test("what is built is told by the outputs of each stack: with Vault or without, begun and destroyed ones without hosts", async () => {
  const box = (running: boolean) => ({ address: "10.20.0.11", running });
  const outputs: Record<string, object> = {
    tools: { hosts: { dns: box(true), spare: box(false) }, vaultAddress: "https://vault.example.org", vaultTokens: "[secret]" },
    dev: { hosts: { "k8s-dev": box(true) } },
    gone: {},
  };
  const asked: string[] = [];
  const run = async (words: readonly string[]): Promise<string> => {
    asked.push(words.join(" "));
    return JSON.stringify(words[1] === "ls" ? [...Object.keys(outputs), "of-another"].map((name) => ({ name })) : outputs[words.at(-1) ?? ""]);
  };
  expect(await builtThings(run, ["tools", "dev", "gone", "never"])).toEqual({
    stacks: ["tools", "dev"],
    hosts: [
      { name: "dns", stack: "tools", host: box(true) },
      { name: "k8s-dev", stack: "dev", host: box(true) },
    ],
    vaultAddress: "https://vault.example.org",
  });
  expect(asked.slice(1)).toEqual(["tools", "dev", "gone"].map((stack) => `stack output --json --stack ${stack}`));
  expect(await builtThings(run, ["dev"])).not.toHaveProperty("vaultAddress");
});
