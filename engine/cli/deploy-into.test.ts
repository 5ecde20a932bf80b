import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Backend } from "../backend/backend";
import { StateWriter } from "../backend/state-writer";
import { CliError } from "../errors";
import { deserializeSnapshot } from "../snapshot/serialize";
import { emptyState } from "../snapshot/types";
import { deployInto } from "./deploy-into";

const PLAIN = { encrypt: (text: string): string => text, decrypt: (text: string): string => text };
const URN = "urn:pulumi:dev::p::t:i:T::a";
const MADE = { ...emptyState(URN, "t:i:T", true), id: "id-a" };

let folder: string;
let backend: Backend;
beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-deploy-"));
  backend = await Backend.open(`file://${folder}`, "/");
  await backend.create("p", "dev");
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const writerOf = (): StateWriter => {
  const base = { resources: [], pendingOperations: [] };
  return new StateWriter({
    backend,
    project: "p",
    stack: "dev",
    codec: PLAIN,
    secretsProviders: { type: "passphrase", state: { salt: "v1:x" } },
    metadata: {},
    base,
  });
};
const written = async (): Promise<string[]> => deserializeSnapshot((await backend.load("p", "dev")) ?? {}, PLAIN).resources.map(({ urn }) => urn);

/** Makes the store's writes wait, as on a slow disk, until `letGo` is called. */
function slowWrites(): { begun: Promise<void>; letGo(): void } {
  const write = backend.bucket.write.bind(backend.bucket);
  let letGo = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  backend.bucket.write = async (key, text) => {
    begin();
    await gate;
    await write(key, text);
  };
  return { begun, letGo };
}

test("a deployment that throws during a write rejects only after the write has ended and the file has all changes", async () => {
  const writer = writerOf();
  const { begun, letGo } = slowWrites();
  let heard = false;
  const done = deployInto(writer, async () => {
    writer.append([{ list: "new", at: 0, state: MADE }]);
    await begun;
    throw new Error("it broke");
  }).finally(() => {
    heard = true;
  });
  done.catch(() => undefined);
  await begun;
  await new Promise((resolve) => setImmediate(resolve));
  expect([heard, await written()]).toEqual([false, []]);
  letGo();
  await expect(done).rejects.toThrow("it broke");
  expect(await written()).toEqual([URN]);
});

test("a deployment that was refused before it began leaves the file as it is", async () => {
  const before = await backend.bucket.read(backend.stackKey("p", "dev"));
  await expect(deployInto(writerOf(), () => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
  expect(await backend.bucket.read(backend.stackKey("p", "dev"))).toBe(before);
});

test("a store that cannot be written is an error that names it, with the deployment's own error as the cause", async () => {
  const answer = new Error("minimum free drive threshold");
  backend.bucket.write = () => Promise.reject(new Error("writing dev.json failed", { cause: answer }));
  const writer = writerOf();
  const failed = deployInto(writer, async () => {
    writer.append([{ list: "new", at: 0, state: MADE }]);
    throw new Error("it broke");
  });
  const thrown = await failed.catch((error: unknown) => error);
  if (!(thrown instanceof CliError)) throw thrown;
  expect(thrown.message).toMatch(/^the state cannot be written to .*\/dev\.json\S*: writing dev\.json failed: minimum free drive threshold$/);
  expect(thrown.cause).toEqual(new Error("it broke"));
});
