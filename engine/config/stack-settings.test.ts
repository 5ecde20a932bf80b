import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { StackSettings } from "./stack-settings";
import type { ConfigValue } from "./value-path";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "settings-"));
afterAll(() => fs.rmSync(dir, { recursive: true }));

function read(text: string, name = "Pulumi.dev.yaml"): StackSettings {
  const file = path.join(dir, name);
  fs.writeFileSync(file, text);
  return new StackSettings(file, "app");
}

const SECURE = "v1:6r/lW5h8vQ0Dm1Dj:mBmVhSvV3pJ9GSNqKLQRqA==";

/** Shapes that public projects have. */
test.each<[string, string, Record<string, ConfigValue>]>([
  ["nothing", "", {}],
  ["a comment", "# settings of dev\n", {}],
  ["a salt alone", "encryptionsalt: v1:abc=:v1:def:ghi\n", {}],
  ["no settings", "config:\n", {}],
  ["an empty map", "config: {}\n", {}],
  [
    "keys with and without a namespace",
    "config:\n  aws:region: us-west-2\n  app:size: small\n  name: web\n",
    { "aws:region": "us-west-2", "app:size": "small", "app:name": "web" },
  ],
  ["the long form of old files", "config:\n  aws:config:region: us-west-2\n", { "aws:region": "us-west-2" }],
  [
    "numbers and truth values",
    'config:\n  app:count: 3\n  app:ratio: 0.5\n  app:on: true\n  app:text: "3"\n',
    { "app:count": 3, "app:ratio": 0.5, "app:on": true, "app:text": "3" },
  ],
  ["a null", "config:\n  app:none:\n  app:null: ~\n", { "app:none": null, "app:null": null }],
  ["a secret", `config:\n  app:token:\n    secure: ${SECURE}\n`, { "app:token": { secure: SECURE } }],
  [
    "maps and lists, with secrets inside",
    `config:\n  app:db:\n    hosts: [a, b]\n    users:\n      - name: x\n        password:\n          secure: ${SECURE}\n`,
    { "app:db": { hosts: ["a", "b"], users: [{ name: "x", password: { secure: SECURE } }] } },
  ],
  ["a text of several lines", "config:\n  app:key: |\n    one\n    two\n", { "app:key": "one\ntwo\n" }],
  ["anchors", "x: &z [a]\nconfig:\n  app:zones: *z\n", { "app:zones": ["a"] }],
  ["the provider of secrets by its name", "secretsprovider: passphrase\nencryptionsalt: v1:a\nconfig:\n  app:a: b\n", { "app:a": "b" }],
  ["an empty provider of secrets", 'secretsprovider: ""\nconfig:\n  app:a: b\n', { "app:a": "b" }],
  ["a key of a cloud that is not used", "encryptedkey: abc\nconfig:\n  app:a: b\n", { "app:a": "b" }],
  ["keys that nobody knows", "team: me\nconfig:\n  app:a: b\n", { "app:a": "b" }],
  [
    "default providers that are switched off",
    "config:\n  pulumi:disable-default-providers:\n    - aws\n    - kubernetes\n",
    { "pulumi:disable-default-providers": ["aws", "kubernetes"] },
  ],
  ["JSON", '{"config": {"app:a": "b"}}', { "app:a": "b" }],
])("%s is read", (_what, text, values) => {
  expect(read(text).values()).toEqual(values);
});

test.each([
  ["a provider of secrets of a cloud", "secretsprovider: awskms://alias/x\n", "secrets provider awskms://alias/x is not supported by the embedded engine"],
  ["environments, as a list", "environment:\n  - aws/dev\n", "`environment:` (ESC) in stack settings is not supported"],
  ["environments, as a map", "environment:\n  imports: [a]\n  values: {}\n", "`environment:` (ESC) in stack settings is not supported"],
  ["settings in a list", "config:\n  - a\n", /Pulumi\.dev\.yaml: .*config/s],
  ["a list", "- a\n", /Pulumi\.dev\.yaml: .*expected object/s],
  ["no YAML", "config: [\n", /Pulumi\.dev\.yaml is not valid YAML/],
  ["what is no number that JSON has", "config:\n  app:a: .inf\n", /Pulumi\.dev\.yaml: \.inf is no value/],
])("%s is refused by name", (_what, text, message) => {
  expect(() => read(text).values()).toThrow(message);
});
