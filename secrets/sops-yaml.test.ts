import { generateIdentity } from "./age";
import { encryptSopsFile } from "./sops-file";
import { leavesOf, parseSopsYaml, withoutMetadata } from "./sops-yaml";

const { recipient } = generateIdentity();
const places = (text: string): string[] => leavesOf("secrets/x.yaml", parseSopsYaml("secrets/x.yaml", text)).map(({ place }) => place.join("."));
const FILE = encryptSopsFile({ vault: { kv: { a: { KEY: "1", sops: "2" }, b: { OTHER: "several\nlines\nsops:\n  x: 1\n" } } } }, [recipient], new Date(0));

test.each([
  ["as sops writes it", FILE],
  ["with a key behind the metadata", `${FILE}${/vault:[\s\S]*?(?=\nsops:)/.exec(FILE)?.[0].replace("vault", "more") ?? ""}\n`],
  ["with carriage returns", FILE.replaceAll("\n", "\r\n")],
  ["with nothing but metadata", FILE.slice(FILE.indexOf("\nsops:") + 1)],
])("a file %s has the same keys with and without its metadata", (_, text) => {
  expect(places(withoutMetadata(text))).toEqual(places(text));
});

test("what is left out is the section that sops writes", () => {
  expect(withoutMetadata(FILE)).toBe(FILE.slice(0, FILE.indexOf("\nsops:") + 1));
});
