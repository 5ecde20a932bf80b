/** The orchestrator prints and writes only through its sinks. Other places are listed here, with the reason. */
import * as fs from "node:fs";
import * as path from "node:path";

const root = path.join(__dirname, "../..");

/** Ways to print, and to write files. */
const WAYS_OUT =
  /process\.(stdout|stderr)\b(?!\.(isTTY|columns|on)\b)|\bconsole\.|\bfs\.(promises\.)?writeFile\s*\(|\b(writeFile(Sync|Atomic)|appendFile(Sync)?|createWriteStream|writeSync|writevSync|copyFile(Sync)?|symlinkSync|renameSync)\s*\(|\bprocess\.(send|emitWarning|_rawDebug)\b|\bfs\.(write|writev|cp|cpSync|rename|copyFile|appendFile|promises)\b|fs\/promises|\b(fetch|https?\.request)\s*\(|\bcreateHttpClient\s*\(|stdio: (\[[^\]]*)?"inherit"/g;

const ALLOWED: Readonly<Record<string, { ways: string[]; why: string }>> = {
  "orchestrator/main.ts": { ways: ["process.stdout", "process.stdout", "process.stderr"], why: "gives them to the sinks; asks what terminal it is" },
  "orchestrator/target/lab-secrets.ts": {
    ways: ["writeFileAtomic(", "writeFileAtomic(", "writeFileAtomic("],
    why: "values of the lab alone, encrypted, and the rule for them (0600); the certificate of its own authority",
  },
  "orchestrator/target/lab-ports.ts": { ways: ["writeFileAtomic("], why: "three numbers" },
  "orchestrator/run/run-lock.ts": { ways: ["writeFileAtomic(", "writeFileAtomic("], why: "which process runs, for its owner only (0600)" },
  "orchestrator/apps/promote.ts": { ways: ["writeFileAtomic("], why: "the settings of a stage with the name of an image, as they stand in the checkout" },
  "orchestrator/apps/render.ts": { ways: ["writeFileAtomic("], why: "manifests for Git: what they need of secrets is a reference" },
  "orchestrator/apps/registry.ts": { ways: ["createHttpClient("], why: "asks a registry for a digest; no text of a run" },
  "orchestrator/charts/over-redirects.ts": {
    ways: ["createHttpClient("],
    why: "asks repositories of charts, and downloads published programs; no text of a run",
  },
  "orchestrator/charts/render-chart.ts": { ways: ["writeFileSync("], why: "a published archive, in a private folder that goes" },
  "orchestrator/run/run-setup.ts": { ways: ["writeFileSync("], why: "empty files that say which stacks are still to be previewed" },
  "orchestrator/hosts/ssh-files.ts": {
    ways: ["writeFileAtomic(", "writeFileAtomic(", "writeFileAtomic("],
    why: "ssh's settings and public keys; the lab-only key (0600)",
  },
  "orchestrator/images/manage-images.ts": { ways: ["writeFileAtomic("], why: "the list of images, as it stands in the checkout, with digests and checksums" },
  "orchestrator/hosts/open-shell.ts": { ways: ['stdio: "inherit"'], why: "the user's own session on a host" },
  "orchestrator/cli/sinks.ts": { ways: ["writeFileAtomic("], why: "the sinks" },
  "orchestrator/target/lab-client.ts": {
    ways: ["http.request(", "writeFileAtomic("],
    why: "asks the lab's control server on this machine, and gives the lab the site's facts; no text of a run",
  },
  "orchestrator/pull-request/polite-fetch.ts": {
    ways: ["createHttpClient("],
    why: "the comment on a pull request, redacted before it is sent, and the host's token to the host's own API",
  },
  "orchestrator/report/report.ts": { ways: ["symlinkSync("], why: "latest.html and latest.json: no content of their own" },
  "orchestrator/store/run-folder.ts": { ways: ["renameSync("], why: "events that are redacted as they come in (redactedProcess)" },
  "orchestrator/store/prune-runs.ts": { ways: ["renameSync("], why: "a folder that goes" },
  "orchestrator/target/site.ts": {
    ways: ["writeFileAtomic(", "writeFileAtomic("],
    why: "the checkout's settings, for the lab; where the lab's states were moved to, for its owner only (0600)",
  },
  "orchestrator/target/trust.ts": { ways: ["writeFileAtomic("], why: "certificates of authorities" },
  "orchestrator/state/state-migration.ts": { ways: ["writeFileAtomic("], why: "which stacks were moved where, by name, for its owner only (0600)" },
  "orchestrator/state/state-copies.ts": {
    ways: ["writeFileAtomic(", "writeFileAtomic("],
    why: "states as the backend keeps them, their secrets encrypted, for their owner only (0600); and their checksums",
  },
  "orchestrator/state/pending-creates.ts": {
    ways: ["writeFileSync("],
    why: "a state as the backend keeps it, for the engine's import, in a private folder (0600)",
  },
  "orchestrator/store/rebuild-record.ts": { ways: ["writeFileAtomic("], why: "how far a rebuild is, by names of stacks, for its owner only (0600)" },
  "orchestrator/store/seen-drift.ts": { ways: ["writeFileAtomic("], why: "numbers by stack, for their owner only (0600)" },
  "orchestrator/target/former-checkout.ts": { ways: ["symlinkSync("], why: "the packages of this checkout, for the program of a former commit" },
  "orchestrator/worker/worker.ts": { ways: ["process.send"], why: "to its parent, which redacts what it takes (redactedProcess)" },
  "orchestrator/secrets/secrets-edit.ts": { ways: ['stdio: "inherit"', "writeFileSync("], why: "the editor's own screen; the private folder" },
};

function sources(folder: string): string[] {
  return fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return sources(name);
    return name.endsWith(".ts") && !name.endsWith(".test.ts") ? [name] : [];
  });
}

/** All uses, with repetitions, so that one more use in a listed file is noticed too. */
const waysOut = (text: string): string[] => [...(text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "").match(WAYS_OUT) ?? [])].sort();

test("every sink of the orchestrator passes through the redactor, or says here why it need not", () => {
  const found = Object.fromEntries(
    sources("orchestrator")
      .map((file): [string, string[]] => [file, waysOut(fs.readFileSync(path.join(root, file), "utf8"))])
      .filter(([, ways]) => ways.length > 0),
  );
  expect(found).toEqual(Object.fromEntries(Object.entries(ALLOWED).map(([file, { ways }]) => [file, [...ways].sort()])));
});

test.each([
  "process.stdout.write(text);",
  "console.log(text);",
  'fs.writeFileSync("x", text);',
  "fs.createWriteStream(file)",
  "writeFileAtomic(file, text)",
  "process.emitWarning(text);",
  'import { appendFile } from "node:fs/promises";',
  "await fs.promises.open(file);",
  "fs.write(fd, text, done);",
  'await fetch(url, { method: "POST", body: text });',
  "http.request(url);",
  "createHttpClient(origin);",
  'spawn("x", { stdio: "inherit" });',
])("the search sees %p", (code) => {
  expect(waysOut(code)).toHaveLength(1);
});
