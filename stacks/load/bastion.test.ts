import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { bastionFromEnvironment } from "./bastion";

const key = path.join(os.tmpdir(), `homelab-bastion-${process.pid}`);
beforeEach(() => fs.writeFileSync(key, "KEY"));
afterEach(() => {
  fs.rmSync(key, { force: true });
  delete process.env["HOMELAB_BASTION"];
  delete process.env["HOMELAB_BASTION_KEY_FILE"];
});

const set = (address: string, file?: string) => {
  process.env["HOMELAB_BASTION"] = address;
  if (file !== undefined) process.env["HOMELAB_BASTION_KEY_FILE"] = file;
};

test("no bastion is set: hosts are reached directly", () => {
  expect(bastionFromEnvironment()).toBeUndefined();
});

test.each([
  ["ssh://jump@127.0.0.1:18022", { host: "127.0.0.1", port: 18022, user: "jump" }],
  ["ssh://jump@bastion.fullstack.pw", { host: "bastion.fullstack.pw", port: 22, user: "jump" }],
])("%s is read with its key", (address, expected) => {
  set(address, key);
  expect(bastionFromEnvironment()).toEqual({ ...expected, privateKey: "KEY" });
});

test.each(["bastion", "http://jump@host:22", "ssh://host:22", ""])("%p is no bastion", (address) => {
  set(address, key);
  if (address === "") expect(bastionFromEnvironment()).toBeUndefined();
  else expect(() => bastionFromEnvironment()).toThrow("HOMELAB_BASTION is not a bastion's address");
});

test("a bastion without a key, and a key that is not there, are named", () => {
  set("ssh://jump@host:22");
  expect(() => bastionFromEnvironment()).toThrow("HOMELAB_BASTION is set, and HOMELAB_BASTION_KEY_FILE is not");
  set("ssh://jump@host:22", `${key}-missing`);
  expect(() => bastionFromEnvironment()).toThrow(`the bastion's key ${key}-missing cannot be read`);
});
