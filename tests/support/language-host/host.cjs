// A language host for Node, which the Pulumi CLI needs to run programs and plugins of Node. The real one, `pulumi-language-nodejs`, is not
// among the Go modules that can be built. This one implements LanguageRuntime by the SDK's proto/. Methods that it does not implement
// (install, generate, pack) answer UNIMPLEMENTED or an error that names them. Nothing is ever downloaded.
"use strict";
const grpc = require("@grpc/grpc-js");
const { LanguageRuntimeService } = require("@pulumi/pulumi/proto/language_grpc_pb.js");
const pb = require("@pulumi/pulumi/proto/language_pb.js");
const plugin = require("@pulumi/pulumi/proto/plugin_pb.js");
const { Empty } = require("google-protobuf/google/protobuf/empty_pb.js");
const { startPlugin, startProgram } = require("./program.cjs");

/** The SDK's own limit. */
const MAX_MESSAGE = 400 * 1024 * 1024;
/** How often the host checks whether the engine still runs: one that was killed sends no message. */
const PARENT_POLL_MS = 1000;
/** Time for a program to end after SIGTERM before it is killed. */
const STOP_MS = 5000;

/** The engine's address among the arguments. Flags that do not change what runs are ignored. Others are refused; the CLI has sent none since 3.99. */
function engineAddress(args) {
  const flag = args.find((arg) => arg.startsWith("-") && !/^--?(tracing|logtostderr|logflow|v)(=|$)/.test(arg));
  if (flag !== undefined) throw new Error(`flag ${flag} is not implemented`);
  const address = args.filter((arg) => !arg.startsWith("-")).at(-1);
  if (address === undefined) throw new Error("usage: pulumi-language-nodejs [flags] <engine address>");
  return address;
}

function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  child.once("close", () => clearTimeout(timer));
}

/** @returns the service's methods; `running` holds the processes that it started */
function methods(engine, running) {
  const keep = (child) => {
    running.add(child);
    child.once("close", () => running.delete(child));
  };
  const answer = (reply) => (_call, callback) => callback(null, reply());
  const failed = (error) => ({ code: grpc.status.FAILED_PRECONDITION, details: error.message });
  return {
    handshake: answer(() => new pb.LanguageHandshakeResponse()),
    getPluginInfo: answer(() => new plugin.PluginInfo().setVersion("1.0.0")),
    about: answer(() => new pb.AboutResponse().setExecutable(process.execPath).setVersion(process.version)),
    // No plugins, so that the CLI does not look for more than those of Pulumi.yaml, PATH and the plugin folder.
    getRequiredPlugins: answer(() => new pb.GetRequiredPluginsResponse()),
    getRequiredPackages: answer(() => new pb.GetRequiredPackagesResponse()),
    runtimeOptionsPrompts: answer(() => new pb.RuntimeOptionsResponse()),
    installDependencies: (call) => call.emit("error", failed(new Error("this language host installs nothing; run npm ci"))),
    run: (call, callback) => {
      try {
        const { child, end } = startProgram(call.request, engine);
        keep(child);
        call.on("cancelled", () => stop(child));
        end.then(
          ({ error, bail }) => callback(null, new pb.RunResponse().setError(error).setBail(bail)),
          (error) => callback(failed(error)),
        );
      } catch (error) {
        callback(failed(error));
      }
    },
    runPlugin: (call) => {
      try {
        const child = startPlugin(call.request);
        keep(child);
        call.on("cancelled", () => stop(child));
        child.on("error", (error) => call.emit("error", failed(error)));
        child.stdout.on("data", (data) => call.write(new pb.RunPluginResponse().setStdout(data)));
        child.stderr.on("data", (data) => call.write(new pb.RunPluginResponse().setStderr(data)));
        child.on("close", (code) => {
          call.write(new pb.RunPluginResponse().setExitcode(code ?? 1));
          call.end();
        });
      } catch (error) {
        call.emit("error", failed(error));
      }
    },
    cancel: (_call, callback) => {
      for (const child of running) stop(child);
      callback(null, new Empty());
    },
  };
}

/** Prints the port, and serves until the engine ends this process. */
function main(args) {
  let engine;
  try {
    engine = engineAddress(args);
  } catch (error) {
    process.stderr.write(`pulumi-language-nodejs: ${error.message}\n`);
    process.exitCode = 2;
    return;
  }
  const server = new grpc.Server({ "grpc.max_receive_message_length": MAX_MESSAGE, "grpc.max_send_message_length": MAX_MESSAGE });
  const running = new Set();
  server.addService(LanguageRuntimeService, methods(engine, running));
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    process.stdout.write(`${port}\n`);
  });
  const end = () => {
    for (const child of running) child.kill("SIGKILL");
    process.exit(0);
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, end);
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) end();
  }, PARENT_POLL_MS);
}

module.exports = { main };
