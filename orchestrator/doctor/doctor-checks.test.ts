import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { newAuthority } from "../../common/authority";
import { backendFinding, certificateFinding, diskFinding } from "./doctor-checks";

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

test("a backend that is not set, has no passphrase, or is no folder that can be written", () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-doctor-"));
  try {
    const of = (url: string | undefined, passphrase = true): string => backendFinding(url, passphrase).verdict;
    expect([of(undefined), of(`file://${dir}`, false), of(`file://${dir}`), of(`file://${dir}/none`), of("s3://bucket")]).toEqual([
      "wrong",
      "wrong",
      "ok",
      "wrong",
      "ok",
    ]);
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
});
