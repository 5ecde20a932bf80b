// Starts programs, plugins and dynamic providers of Node, each with the SDK in its own folder (engine-contract B3 and E4).
"use strict";
const { spawn } = require("node:child_process");
const { createRequire } = require("node:module");
const path = require("node:path");
const { splitNodeArgs } = require("../../../bin/engine/program/node-args.js");

/** The SDK's exit code for "failed, and the error is shown already". */
const BAIL = 32;
const OPTIONS = new Map([
  ["typescript", "boolean"],
  ["nodeargs", "string"],
  ["tsconfig", "string"],
  ["packagemanager", "string"],
]);

/** A file of the SDK, as a program in that folder would load it. */
function fromSdk(folder, module) {
  try {
    return createRequire(path.join(folder, "package.json")).resolve(`@pulumi/pulumi/cmd/${module}`);
  } catch (cause) {
    throw new Error(`${folder} has no @pulumi/pulumi: run npm ci there first`, { cause });
  }
}

/** Checks `runtime.options` of Pulumi.yaml. An unknown option is refused by name, since ignoring it could run another program than intended. */
function checkedOptions(options) {
  for (const [name, value] of Object.entries(options)) {
    const type = OPTIONS.get(name);
    if (type === undefined) throw new Error(`runtime option ${name} is unknown; known are ${[...OPTIONS.keys()].join(", ")}`);
    if (typeof value !== type) throw new Error(`runtime option ${name} must be a ${type}, not ${JSON.stringify(value)}`);
  }
  return options;
}

function runArguments(request, engine, { directory, root, entry }) {
  return [
    ...["--monitor", request.getMonitorAddress(), "--engine", engine, "--organization", request.getOrganization()],
    ...["--project", request.getProject(), "--stack", request.getStack(), "--root-directory", root, "--pwd", directory],
    ...["--parallel", String(request.getParallel()), ...(request.getDryrun() ? ["--dry-run"] : [])],
    ...[entry, ...request.getArgsList()],
  ];
}

/**
 * Starts a program. Its output goes to the output of this process, which the engine reads.
 * @returns the process, and how it ended: `{ error: "" }`, `{ error, bail: false }` or `{ error: "", bail: true }`
 */
function startProgram(request, engine) {
  const info = request.getInfo();
  const directory = info.getProgramDirectory();
  const options = checkedOptions(info.getOptions()?.toJavaScript() ?? {});
  const nodeArgs = splitNodeArgs(options.nodeargs ?? "");
  const place = { directory, root: info.getRootDirectory(), entry: info.getEntryPoint() };
  // In its short form: the SDK takes a `--require` for a loader of the user's own, and then starts no native ES module in TypeScript.
  const args = ["-r", path.join(__dirname, "safe-inspect.cjs"), ...nodeArgs, fromSdk(directory, "run"), ...runArguments(request, engine, place)];
  const env = {
    ...process.env,
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().entries())),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    ...(options.typescript === false ? {} : { PULUMI_NODEJS_TYPESCRIPT: "true" }),
    ...(options.tsconfig === undefined ? {} : { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig }),
  };
  const child = spawn(process.execPath, args, { cwd: directory, env, stdio: ["ignore", "inherit", "inherit"] });
  const end = new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve({ error: "", bail: false });
      else if (code === BAIL) resolve({ error: "", bail: true });
      else resolve({ error: signal === null ? `Program exited with non-zero exit code: ${code}` : `Program was ended by ${signal}`, bail: false });
    });
  });
  return { child, end };
}

/** Starts a plugin that is a folder with PulumiPlugin.yaml; its output is piped. */
function startPlugin(request) {
  const folder = request.getInfo().getProgramDirectory();
  checkedOptions(request.getInfo().getOptions()?.toJavaScript() ?? {});
  const given = request.getEnvList().map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);
  // A policy pack has its own runner, which takes the folder as its last argument and runs in it.
  const isPolicyPack = request.getKind() === "analyzer";
  const args = isPolicyPack ? [...request.getArgsList(), folder] : [folder, ...request.getArgsList()];
  return spawn(process.execPath, [fromSdk(folder, isPolicyPack ? "run-policy-pack" : "run-plugin"), ...args], {
    cwd: isPolicyPack ? folder : request.getPwd() || folder,
    env: { ...process.env, PULUMI_NODEJS_TYPESCRIPT: "true", ...Object.fromEntries(given) },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** This process becomes the SDK's dynamic provider, as the CLI's script of the same name does it. */
function becomeDynamicProvider(args) {
  const script = fromSdk(process.cwd(), "dynamic-provider");
  process.argv.splice(1, process.argv.length, script, ...args);
  require("node:module").runMain(script);
}

module.exports = { becomeDynamicProvider, checkedOptions, startPlugin, startProgram };
