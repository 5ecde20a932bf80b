/** Tests the language host by its protocol, with a gRPC client in place of the engine, and a stand-in for the SDK in the program's folder. */
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import * as grpc from "@grpc/grpc-js";
import { LanguageRuntimeClient } from "@pulumi/pulumi/proto/language_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/language_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { GRPC_OPTIONS } from "../../../common/grpc-options";

const HOST = path.join(__dirname, "pulumi-language-nodejs");
/** A stand-in for `@pulumi/pulumi/cmd/run`. It prints its arguments and environment, then does what the entry point's name says. */
const RUNNER = `
const entry = process.argv.at(-1);
console.log(JSON.stringify({ argv: process.argv.slice(2), config: process.env.PULUMI_CONFIG, secret: process.env.PULUMI_CONFIG_SECRET_KEYS, typescript: process.env.PULUMI_NODEJS_TYPESCRIPT, cwd: process.cwd(), execArgv: process.execArgv }));
console.error("a warning");
if (entry === "throws") process.exitCode = 32;
else if (entry === "exits") process.exitCode = 3;
else if (entry === "dies") process.kill(process.pid, "SIGKILL");
else if (entry === "waits") setInterval(() => undefined, 1000);
`;
const PLUGIN = `
process.stdout.write("4711\\n" + JSON.stringify({ argv: process.argv.slice(2), more: process.env.MORE }) + "\\n");
process.stderr.write("noise\\n");
process.exitCode = 5;
`;

let folder: string;
let host: ChildProcess;
let client: LanguageRuntimeClient;
let output: string;

beforeEach(async () => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "language host ")));
  for (const [name, text] of Object.entries({ run: RUNNER, "run-plugin": PLUGIN, "run-policy-pack": PLUGIN.replace("4711", "4712") })) {
    const place = path.join(folder, "node_modules", "@pulumi", "pulumi", "cmd", name);
    fs.mkdirSync(place, { recursive: true });
    fs.writeFileSync(path.join(place, "index.js"), text);
  }
  host = spawn(HOST, ["127.0.0.1:1"], { stdio: ["ignore", "pipe", "pipe"] });
  output = "";
  const port = await new Promise<string>((resolve) => {
    host.stdout?.on("data", (data) => {
      output += String(data);
      if (output.includes("\n")) resolve(output.split("\n")[0] ?? "");
    });
  });
  client = new LanguageRuntimeClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), GRPC_OPTIONS);
});

afterEach(async () => {
  client.close();
  const ended = new Promise((resolve) => host.once("close", resolve));
  host.kill("SIGINT");
  await ended;
  fs.rmSync(folder, { recursive: true, force: true });
});

function info(entry: string, options: Record<string, string | boolean> = { typescript: false }): pb.ProgramInfo {
  return new pb.ProgramInfo().setRootDirectory("/root-of-project").setProgramDirectory(folder).setEntryPoint(entry).setOptions(Struct.fromJavaScript(options));
}

function run(entry: string, options?: Record<string, string | boolean>): Promise<{ error: string; bail: boolean } | string> {
  const request = new pb.RunRequest()
    .setProject("p")
    .setStack("s")
    .setOrganization("organization")
    .setMonitorAddress("127.0.0.1:2")
    .setParallel(7)
    .setDryrun(true);
  request.setInfo(info(entry, options)).setConfigsecretkeysList(["p:b"]);
  request.getConfigMap().set("p:a", "1").set("p:b", "x");
  return new Promise((resolve) => {
    client.run(request, (error, reply) => resolve(error === null ? { error: reply.getError(), bail: reply.getBail() } : error.details));
  });
}

test("a program gets its arguments, configuration and folder as the SDK wants them, and its output reaches the engine", async () => {
  expect(await run(".")).toEqual({ error: "", bail: false });
  const said = JSON.parse(output.split("\n")[1] ?? "");
  expect(said).toEqual({
    execArgv: expect.any(Array),
    argv: [
      ...["--monitor", "127.0.0.1:2", "--engine", "127.0.0.1:1", "--organization", "organization", "--project", "p", "--stack", "s"],
      ...["--root-directory", "/root-of-project", "--pwd", folder, "--parallel", "7", "--dry-run", "."],
    ],
    config: '{"p:a":"1","p:b":"x"}',
    secret: '["p:b"]',
    cwd: folder,
  });
  expect(await run(".", {})).toEqual({ error: "", bail: false });
  expect(JSON.parse(output.split("\n")[2] ?? "")).toMatchObject({ typescript: "true" });
});

describe("how a program ends", () => {
  test.each([
    ["throws", { error: "", bail: true }],
    ["exits", { error: "Program exited with non-zero exit code: 3", bail: false }],
    ["dies", { error: "Program was ended by SIGKILL", bail: false }],
  ])("one that %s", async (entry, reply) => {
    expect(await run(entry)).toEqual(reply);
  });

  test("one that is cancelled", async () => {
    const end = run("waits");
    while (!output.includes('"waits"')) await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => client.cancel(new Empty(), resolve));
    expect(await end).toEqual({ error: "Program was ended by SIGTERM", bail: false });
  });
});

test("options of the runtime that are unknown or of another type are refused by name", async () => {
  expect(await run(".", { typescirpt: false })).toBe("runtime option typescirpt is unknown; known are typescript, nodeargs, tsconfig, packagemanager");
  expect(await run(".", { typescript: "no" })).toBe('runtime option typescript must be a boolean, not "no"');
  expect(output.trim().split("\n")).toHaveLength(1);
});

test("options for Node reach Node", async () => {
  expect(await run(".", { nodeargs: "--no-such-option-of-node" })).toEqual({ error: "Program exited with non-zero exit code: 9", bail: false });
});

test("the SDK sees no loader of the host's own, for it would then start no native ES module in TypeScript", async () => {
  expect(await run(".")).toEqual({ error: "", bail: false });
  const { execArgv } = JSON.parse(output.split("\n")[1] ?? "");
  expect(execArgv).toContain(path.join(__dirname, "safe-inspect.cjs"));
  for (const loader of ["--require", "--import", "--loader"]) expect(execArgv).not.toContain(loader);
});

test("options for Node are split as a shell splits words", async () => {
  expect(await run(".", { nodeargs: `--title='a "b"' --conditions "c d"` })).toEqual({ error: "", bail: false });
  expect(JSON.parse(output.split("\n")[1] ?? "").execArgv.slice(2)).toEqual(['--title=a "b"', "--conditions", "c d"]);
  expect(await run(".", { nodeargs: "--title='a" })).toContain("a quote (') that is not closed");
});

test("a program without the SDK says what to do", async () => {
  fs.rmSync(path.join(folder, "node_modules"), { recursive: true });
  expect(await run(".")).toBe(`${folder} has no @pulumi/pulumi: run npm ci there first`);
});

test("a plugin's output and exit code are streamed", async () => {
  const request = new pb.RunPluginRequest().setPwd(folder).setInfo(info(".")).setArgsList(["127.0.0.1:3"]).setEnvList(["MORE=a=b"]);
  const got = { out: "", err: "", code: [] as number[] };
  await new Promise<void>((resolve, reject) => {
    const stream = client.runPlugin(request);
    stream.on("data", (reply: pb.RunPluginResponse) => {
      if (reply.hasStdout()) got.out += Buffer.from(reply.getStdout_asU8()).toString();
      if (reply.hasStderr()) got.err += Buffer.from(reply.getStderr_asU8()).toString();
      if (reply.hasExitcode()) got.code.push(reply.getExitcode());
    });
    stream.on("end", resolve).on("error", reject);
  });
  expect(got).toEqual({ out: `4711\n${JSON.stringify({ argv: [folder, "127.0.0.1:3"], more: "a=b" })}\n`, err: "noise\n", code: [5] });
});

test("a policy pack is started by its own runner", async () => {
  const request = new pb.RunPluginRequest().setPwd(folder).setInfo(info(".")).setArgsList(["127.0.0.1:3"]).setKind("analyzer");
  let out = "";
  await new Promise<void>((resolve, reject) => {
    const stream = client.runPlugin(request);
    stream.on("data", (reply: pb.RunPluginResponse) => {
      if (reply.hasStdout()) out += Buffer.from(reply.getStdout_asU8()).toString();
    });
    stream.on("end", resolve).on("error", reject);
  });
  expect(out).toBe(`4712\n${JSON.stringify({ argv: ["127.0.0.1:3", folder] })}\n`);
});

test("it ends with the process that started it, and with it what it runs", async () => {
  const start = `const { spawn } = require("node:child_process"); spawn(${JSON.stringify(HOST)}, ["127.0.0.1:1"], { stdio: ["ignore", "inherit", "ignore"] }); setInterval(() => undefined, 1000);`;
  const parent = spawn(process.execPath, ["-e", start], { stdio: ["ignore", "pipe", "ignore"] });
  await new Promise((resolve) => parent.stdout.once("data", resolve));
  // The host keeps this pipe open as long as it runs.
  const ended = new Promise((resolve) => parent.stdout.once("close", resolve));
  parent.kill("SIGKILL");
  await ended;
});

test("nothing is installed, and what is not implemented says so", async () => {
  const installed = await new Promise((resolve) => {
    client
      .installDependencies(new pb.InstallDependenciesRequest())
      .on("error", (error: grpc.ServiceError) => resolve(error.details))
      .on("data", resolve);
  });
  expect(installed).toBe("this language host installs nothing; run npm ci");
  const packed = await new Promise((resolve) => {
    client.pack(new pb.PackRequest(), (error) => resolve(error?.code));
  });
  expect(packed).toBe(grpc.status.UNIMPLEMENTED);
});

test("a flag that it does not know is refused", async () => {
  const other = spawn(HOST, ["--root=/x", "127.0.0.1:1"], { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  other.stderr.on("data", (data) => {
    text += String(data);
  });
  expect(await new Promise((resolve) => other.once("close", resolve))).toBe(2);
  expect(text).toBe("pulumi-language-nodejs: flag --root=/x is not implemented\n");
});
