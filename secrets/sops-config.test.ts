import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { recipientsFor } from "./sops-config";

const A = "age1yxz2geg32utwavzn23ycgw8xhxkg2ssq2snxqxje87cpq8gumdqslnkam2";
const B = "age10gl6ujwh0wrkw6et503urkckg8llhp9rjuec9kdthxyz9zyyuc4qwfnyfn";
const FILE = "secrets/common/a.yaml";
let folder: string;
let config: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-sops-"));
  config = path.join(folder, ".sops.yaml");
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const of = (text: string, file = FILE): string[] => {
  fs.writeFileSync(config, text);
  return recipientsFor(file, config);
};

describe("what sops reads is read", () => {
  test.each([
    ["the first rule that fits", `creation_rules:\n  - path_regex: ^other/\n    age: age1x\n  - age: ${A}, ${B}\n`, [A, B]],
    ["a list", `creation_rules:\n  - path_regex: secrets/.*\\.yaml$\n    age: [${A}]\n`, [A]],
    ["a list of texts with commas and lines", `creation_rules:\n  - age:\n      - >-\n        ${A},\n        ${B}\n`, [A, B]],
    [
      "rules for other folders with other keys",
      `creation_rules:\n  - path_regex: legacy/.*\n    pgp: FBC7B9E2\n  - path_regex: cloud/\n    kms: arn:aws:kms:x\n    gcp_kms: p\n  - age: ${A}\n`,
      [A],
    ],
    [
      "another folder's several key groups",
      `creation_rules:\n  - path_regex: ^vault/\n    shamir_threshold: 2\n    key_groups: [{ pgp: [X] }, { age: [${B}] }]\n  - age: ${A}\n`,
      [A],
    ],
    ["another folder's formats", `creation_rules:\n  - path_regex: ^apps/\n    encrypted_regex: ^(data|stringData)$\n    pgp: X\n  - age: ${A}\n`, [A]],
    ["a single key group, by anchor", `keys:\n  - &me ${A}\ncreation_rules:\n  - path_regex: secrets/.*\\.yaml$\n    key_groups:\n      - age: [*me]\n`, [A]],
    ["a group of several keys", `creation_rules:\n  - key_groups:\n      - age:\n          - ${A}\n          - ${B}\n`, [A, B]],
    ["key groups before the rule's own key", `creation_rules:\n  - age: ${B}\n    key_groups:\n      - age: [${A}]\n`, [A]],
    ["empty lists of other keys", `creation_rules:\n  - age: ${A}\n    pgp: ""\n    kms: []\n    mac_only_encrypted: false\n`, [A]],
    [
      "other sections and keys that sops does not know",
      `stores: { yaml: { indent: 2 } }\ndestination_rules: []\ncreation_rules:\n  - age: ${A}\n    note: mine\n`,
      [A],
    ],
    ["Go's expressions", `creation_rules:\n  - path_regex: (?i)^SECRETS/(?P<folder>[[:alpha:]]+)/.*\\.ya?ml\\z\n    age: ${A}\n`, [A]],
    ["an empty path_regex", `creation_rules:\n  - path_regex: ""\n    age: ${A}\n`, [A]],
  ])("%s", (_, text, recipients) => {
    expect(of(text)).toEqual(recipients);
  });
});

describe("what the first matching rule needs and is not supported is refused by name", () => {
  const rule = (text: string) => `creation_rules:\n  - path_regex: ^other/\n    age: ${B}\n  - ${text}\n`;
  test.each([
    ["pgp", rule(`{ age: ${A}, pgp: FBC7B9E2 }`), `creation rule 2 is the one for ${FILE}, and it asks for pgp, and only age recipients are supported here`],
    ["kms in a group", rule(`{ key_groups: [{ age: [${A}], kms: [{ arn: x }] }] }`), "its key group asks for kms"],
    ["several groups", rule(`{ key_groups: [{ age: [${A}] }, { age: [${B}] }] }`), "it has 2 key groups"],
    ["merged groups", rule(`{ key_groups: [{ age: [${A}], merge: [{ age: [${B}] }] }] }`), "its key group asks for merge"],
    ["a threshold", rule(`{ age: ${A}, shamir_threshold: 2 }`), "it sets shamir_threshold"],
    ["a part that stays plain", rule(`{ age: ${A}, encrypted_regex: ^data$ }`), "it sets encrypted_regex"],
    ["a MAC of a part", rule(`{ age: ${A}, mac_only_encrypted: true }`), "it sets mac_only_encrypted"],
    ["no recipient", rule("{ age: '' }"), "it has no recipient"],
    ["an SSH key", rule(`{ age: "${A},ssh-ed25519 AAAA me" }`), 'it has the recipient "ssh-ed25519 AAAA me"'],
    ["an invalid expression", rule("{ path_regex: '(', age: x }"), "its path_regex ( is no regular expression"],
    ["no rule", `creation_rules:\n  - path_regex: ^other/\n    age: ${A}\n`, `no creation rule is for ${FILE}`],
    ["no rules", "creation_rules: []\n", "creation_rules is not what sops reads there"],
    ["no map", "- a\n", "it is not what sops reads there"],
    ["no YAML", "creation_rules: [\n", "cannot be read:"],
  ])("%s", (_, text, message) => {
    fs.writeFileSync(config, text);
    expect(() => recipientsFor(FILE, config)).toThrow(expect.objectContaining({ code: "E_SOPS_CONFIG", subject: config }));
    expect(() => recipientsFor(FILE, config)).toThrow(message);
    expect(() => recipientsFor(FILE, config)).not.toThrow(/[{}]\s*"|invalid_union|\n/);
  });
});
