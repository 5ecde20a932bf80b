/** A process that writes a state is killed at random points: all that it reported as safe is there, and what was under way is pending. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import fc from "fast-check";
import { Backend } from "../../engine/backend/backend";
import { newManifest } from "../../engine/backend/checkpoint";
import { brokenRule } from "../../engine/snapshot/integrity";
import { deserializeSnapshot } from "../../engine/snapshot/serialize";
import { PLAIN } from "./contract";

// Each test starts several processes; a busy machine takes its time.
jest.setTimeout(240_000);

const root = fs.mkdtempSync(path.join(os.tmpdir(), "kill-"));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

/** Runs the writer until it has said `lines` lines, kills it, and gives all that it said. */
async function writeAndKill(url: string, limit: number, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, [path.join(__dirname, "kill-writer.cjs"), url, String(limit)], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString("utf8");
    if (said.split("\n").length > lines) child.kill("SIGKILL");
  });
  const signal = await new Promise((resolve) => child.on("close", (_code, by) => resolve(by)));
  expect(signal).toBe("SIGKILL");
  return said.split("\n").slice(0, -1);
}

test.each([
  ["written whole", 100_000_000],
  ["journalled", 0],
  ["grown from whole to journalled", 4_000],
])("a state that is %s loses nothing that was safe", async (how, limit) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 3 }), async (kills) => {
      const url = `file://${fs.mkdtempSync(path.join(root, "s-"))}`;
      const backend = await Backend.open(url, "/");
      await backend.create("p", "dev");
      await backend.save("p", "dev", { manifest: newManifest(), secrets_providers: { type: "passphrase", state: { salt: "v1:x" } }, metadata: {} });
      const done = new Set<string>();
      for (const lines of kills) {
        const said = await writeAndKill(url, limit, lines);
        const latest = await backend.load("p", "dev");
        const snapshot = deserializeSnapshot(latest ?? {}, PLAIN);
        expect(brokenRule(snapshot.resources)).toBeUndefined();
        const there = new Set(snapshot.resources.map(({ inputs }) => inputs["name"]));
        const pending = new Set(snapshot.pendingOperations.map(({ resource }) => resource.inputs["name"]));
        for (const line of said) if (line.startsWith("done ")) done.add(line.slice(5));
        expect([...done].filter((name) => !there.has(name))).toEqual([]);
        const begun = said.filter((line) => line.startsWith("begun ")).map((line) => line.slice(6));
        expect(begun.filter((name) => !there.has(name) && !pending.has(name))).toEqual([]);
        if (how === "written whole") {
          // The file as any reader finds it.
          const file = JSON.parse((await backend.bucket.read(".pulumi/stacks/p/dev.json")) ?? "");
          expect([file.version, file.features, file.checkpoint.latest.resources?.length ?? 0]).toEqual([3, undefined, snapshot.resources.length]);
        }
        if (latest !== undefined) await backend.save("p", "dev", latest);
        expect(fs.existsSync(path.join(url.slice(7), ".pulumi/stacks/p/dev.journal"))).toBe(false);
      }
    }),
    { numRuns: 6 },
  );
});
