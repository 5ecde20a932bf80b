import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Backend } from "../../engine/backend/backend";
import { newManifest } from "../../engine/backend/checkpoint";
import { openBucket } from "../../engine/backend/open-bucket";
import { backendContract } from "./contract";

const folders: string[] = [];
const folder = (): string => {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), "backend-"));
  folders.push(made);
  return made;
};
afterAll(() => {
  for (const made of folders) fs.rmSync(made, { recursive: true, force: true });
});

describe("a folder", () => backendContract(async () => `file://${folder()}`));

test.each([
  ["file:///a%20b/c", "/a b/c"],
  ["file:///a?no_tmp_dir=true", "/a"],
  ["file://~", os.homedir()],
  ["file://~/state", path.join(os.homedir(), "state")],
  ["file://.", "/base"],
  ["file://./state", "/base/state"],
])("%s is %s", async (url, expected) => {
  expect((await openBucket(url, "/base")).url("k")).toBe(`file://${path.join(expected, "k")}?no_tmp_dir=true`);
});

test.each([
  ["https://api.pulumi.com", "the backend https://"],
  ["gs://b", "the backend gs://"],
  ["/tmp/x", "is no backend"],
])("%s is refused", async (url, why) => {
  await expect(openBucket(url, "/")).rejects.toThrow(why);
});

test("the sidecar of a file that the CLI wrote goes when the file is replaced; half files of killed writers are not listed and go later", async () => {
  const root = folder();
  const backend = await Backend.open(`file://${root}`, "/");
  await backend.create("p", "dev");
  const file = path.join(root, ".pulumi/stacks/p/dev.json");
  fs.writeFileSync(`${file}.attrs`, "{}");
  fs.writeFileSync(`${file}.1.0.part`, "{");
  fs.utimesSync(`${file}.1.0.part`, 0, 0);
  expect((await backend.list("p")).map(({ stack }) => stack)).toEqual(["dev"]);
  const again = await Backend.open(`file://${root}`, "/");
  await again.bucket.write(".pulumi/stacks/p/dev.json", fs.readFileSync(file, "utf8"));
  expect(fs.readdirSync(path.dirname(file))).toEqual(["dev.json"]);
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
});

test("a half file of a killed writer with our own process number does not hinder a write", async () => {
  const root = folder();
  const backend = await Backend.open(`file://${root}`, "/");
  await backend.create("p", "dev");
  const file = path.join(root, ".pulumi/stacks/p/dev.json");
  for (let i = 0; i < 20; i++) fs.writeFileSync(`${file}.${process.pid}.${i}.part`, "{");
  for (let i = 0; i < 8; i++) await backend.bucket.write(".pulumi/stacks/p/dev.json", `{"n":${i}}`);
  expect(fs.readFileSync(file, "utf8")).toBe('{"n":7}');
});

test.each([
  ["is missing", undefined, "is missing"],
  ["belongs to another file", '{"version":2,"base":"x","places":{"new":[],"old":[],"pending":[]}}\n', "belongs to another version"],
  ["is empty", "", "belongs to another version"],
])("a journal that %s is an error: what was made since would be forgotten", async (_how, journal, why) => {
  const backend = await Backend.open(`file://${folder()}`, "/");
  await backend.create("p", "dev");
  const manifest = newManifest();
  await backend.bucket.write(
    ".pulumi/stacks/p/dev.json",
    JSON.stringify({ version: 4, features: ["homelab-journal"], checkpoint: { stack: "organization/p/dev", latest: { manifest, metadata: {} } } }),
  );
  if (journal !== undefined) await backend.bucket.write(".pulumi/stacks/p/dev.journal", journal);
  for (const reads of [() => backend.load("p", "dev"), () => backend.list("p"), () => backend.exportVersion("p", "dev")])
    await expect(reads()).rejects.toThrow(why);
});

test("a compressed state is refused by name", async () => {
  const root = folder();
  const backend = await Backend.open(`file://${root}`, "/");
  await backend.bucket.write(".pulumi/stacks/p/dev.json.gz", "x");
  await expect(backend.exists("p", "dev")).rejects.toThrow(/a compressed state \(file:.*dev\.json\.gz.*\) is not supported/);
});
