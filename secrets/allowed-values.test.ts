import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { systemClock } from "../common/clock";
import { generateIdentity } from "./age";
import { checkValues } from "./allowed-values";
import { fileName, SecretFiles } from "./secret-files";

const PIHOLE = "cluster-secret-store/secrets/EXTERNAL_DNS_PIHOLE_PASSWORD";

test.each([['pass"word'], ["pass\\word"], ["two\nlines"], ["two\r"], ["a\tb"], [" before"], ["after "], [" "], [""], ["nul\0"], ["\u0085next"]])(
  "Pi-hole's password must not be %j, which external-dns or its file would read as something else",
  (value) => {
    expect(() => checkValues(PIHOLE, { PIHOLE_PASSWORD: value })).toThrow(
      expect.objectContaining({
        code: "E_SECRET_VALUE",
        message: `PIHOLE_PASSWORD of secrets/common/${PIHOLE}.yaml is not what its readers can take: it must be one line without ", without \\ and without blanks at its ends`,
        hint: `homelab secrets set ${PIHOLE} PIHOLE_PASSWORD`,
      }),
    );
  },
);

test.each(["x", "with a blank inside", "ümläut-🔑", "$'`#;=&|", "FILL-ME-IN"])("it may be %j", (value) => {
  expect(() => checkValues(PIHOLE, { PIHOLE_PASSWORD: value })).not.toThrow();
});

test.each(["two\nlines", "with blank", "", "ümlaut"])("the token of Cloudflare must not be %j", (value) => {
  expect(() => checkValues("cloudflare", { "api-token": value })).toThrow("api-token of secrets/common/cloudflare.yaml");
});

test("the same key of another entry, and other keys of the entry, may be anything", () => {
  expect(() => checkValues("shop", { PIHOLE_PASSWORD: '"' })).not.toThrow();
  expect(() => checkValues(PIHOLE, { OTHER: '"' })).not.toThrow();
});

test("a value that is refused is not written, neither into a new file nor into one that is there", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-allowed-"));
  try {
    const identity = generateIdentity();
    fs.mkdirSync(path.join(folder, "secrets", "common"), { recursive: true });
    fs.writeFileSync(path.join(folder, ".sops.yaml"), `creation_rules:\n  - age: ${identity.recipient}\n`);
    const files = new SecretFiles(() => [identity], systemClock, path.join(folder, "secrets"));
    const name = fileName("common", "cloudflare");
    expect(() => files.create(name, { "api-token": "hunter2 x" })).toThrow("api-token of secrets/common/cloudflare.yaml is not what its readers can take");
    files.create(name, { "api-token": "t0ken" });
    expect(() => files.change(name, () => ({ "api-token": "hunter2\n" }))).toThrow(expect.objectContaining({ code: "E_SECRET_VALUE" }));
    expect(files.read(name)).toEqual({ "api-token": "t0ken" });
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
