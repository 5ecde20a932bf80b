// kill.test.ts runs and kills this process. It settles resources without end, and prints what is safe as soon as it is.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const [, , url, limit] = process.argv;
const bin = (file) => require(path.join(__dirname, "../../bin/engine", file));
const { Backend } = bin("backend/backend.js");
const { StateWriter } = bin("backend/state-writer.js");
const { SnapshotManager } = bin("snapshot/manager.js");
const { deserializeSnapshot } = bin("snapshot/serialize.js");
const { emptyState } = bin("snapshot/types.js");
const codec = { encrypt: (text) => text, decrypt: (text) => text };
const say = (text) => fs.writeSync(1, `${text}\n`);
const make = (name) => ({ ...emptyState(`urn:pulumi:dev::p::t:i:T::${name}`, "t:i:T", true), id: `id-${name}`, inputs: { name, filler: "x".repeat(300) } });

async function main() {
  const backend = await Backend.open(url, "/");
  const base = deserializeSnapshot(await backend.load("p", "dev"), codec);
  const facts = { backend, project: "p", stack: "dev", codec, secretsProviders: { type: "passphrase", state: { salt: "v1:x" } }, metadata: {} };
  const writer = new StateWriter({ ...facts, base, wholeLimit: Number(limit) });
  const state = new SnapshotManager(base, writer);
  const chain = async (worker) => {
    for (let i = 0; ; i++) {
      const name = `${process.pid}-${worker}-${i}`;
      const pending = state.begin({ type: "creating", resource: { ...make(name), id: undefined } });
      await state.durable();
      say(`begun ${name}`);
      state.settle({ ends: pending, add: make(name) });
      await state.durable();
      say(`done ${name}`);
    }
  };
  await Promise.all([0, 1, 2, 3].map(chain));
}
main().catch((thrown) => {
  throw thrown;
});
