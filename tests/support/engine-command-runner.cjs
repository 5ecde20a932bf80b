// Runs command lines of the engine one after the other in one process. Starting the engine, the program and a provider costs each command a
// second of processor time, which is most of a recorded case. The command line is the engine's own (engine/cli). Unlike the real one it
// does not start the program, which runs in this process by the SDK's server of inline programs (`--client`), nor the provider, which
// runs here too (PULUMI_DEBUG_PROVIDERS). See engine-process.ts.
"use strict";
const path = require("node:path");
const root = path.resolve(__dirname, "../..");
require("../../bin/common/lean-start.js").leanStart("engine");
const grpc = require("@grpc/grpc-js");
const { LanguageServer } = require("@pulumi/pulumi/automation/server.js");
const { LanguageRuntimeService } = require("@pulumi/pulumi/proto/language_grpc_pb.js");
const { grpcChannelOptions, grpcClientOptions } = require("@pulumi/pulumi/runtime/settings.js");
const { SHARE_NO_CONNECTION } = require("../../bin/common/grpc-options.js");
const { exitCodeOf } = require("../../bin/engine/cli/exit-code.js");

// The SDK leaves clients of a run that failed open, and each run's engine is at another port, which may be one of theirs.
for (const options of [grpcChannelOptions, grpcClientOptions]) Object.assign(options, SHARE_NO_CONNECTION);

/** The commands that run a program. */
const RUNS = ["up", "preview", "refresh", "destroy"];

/** The exports of a file, loaded again each time: programs and providers hold state. */
function fresh(file) {
  const resolved = require.resolve(file);
  delete require.cache[resolved];
  return require(resolved);
}

function serve(program) {
  const server = new grpc.Server();
  const inline = new LanguageServer(program);
  const implementation = Object.fromEntries(
    Object.keys(LanguageRuntimeService).map((name) => [name, (_call, reply) => reply({ code: grpc.status.UNIMPLEMENTED, details: name })]),
  );
  for (const name of ["run", "getRequiredPlugins", "getPluginInfo"]) implementation[name] = inline[name].bind(inline);
  server.addService(LanguageRuntimeService, implementation);
  return new Promise((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port))),
  );
}

/** Runs `work`. @returns what it printed */
async function printed(work) {
  const said = { stdout: "", stderr: "" };
  const own = {};
  for (const name of Object.keys(said)) {
    own[name] = process[name].write;
    process[name].write = (chunk, encoding, done) => {
      said[name] += chunk;
      for (const callback of [encoding, done]) if (typeof callback === "function") callback();
      return true;
    };
  }
  try {
    await work(said);
  } finally {
    Object.assign(process.stdout, { write: own.stdout });
    Object.assign(process.stderr, { write: own.stderr });
  }
  return said;
}

/** Starts a provider, once for each folder in which it runs. @returns its port */
const providers = new Map();
async function portOf(file, folder) {
  const key = `${folder} ${file}`;
  if (!providers.has(key)) {
    const { stdout } = await printed(async (said) => {
      fresh(file);
      for (let looks = 0; looks < 5000 && said.stdout === ""; looks++) await new Promise((resolve) => setTimeout(resolve, 1));
    });
    if (!/^\d+\n$/.test(stdout)) throw new Error(`${file} did not start: ${stdout}`);
    providers.set(key, stdout.trim());
  }
  return providers.get(key);
}

async function run({ argv, env, cwd, provider }) {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env, { HOMELAB_BUILT: root });
  process.chdir(cwd);
  process.env.PULUMI_DEBUG_PROVIDERS = `${provider.name}:${await portOf(provider.file, cwd)}`;
  const client = RUNS.includes(argv[0]) ? [`--client=127.0.0.1:${await program}`] : [];
  let status = -1;
  const said = await printed(async () => {
    status = await exitCodeOf([...argv, ...client]);
  });
  return { status, ...said };
}

const program = serve(() => fresh(path.join(process.cwd(), "index.js")));
process.setMaxListeners(0);
process.on("message", (command) => {
  run(command).then(
    (done) => process.send(done),
    (error) => process.send({ status: -1, stdout: "", stderr: String(error?.stack ?? error) }),
  );
});
process.on("disconnect", () => process.exit(0));
