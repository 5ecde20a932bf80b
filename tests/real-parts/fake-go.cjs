// A stand-in for the `go` program. It answers the calls of build/real-parts/go.cjs, fails as FAKE_GO says, and logs each call in FAKE_GO_LOG.
"use strict";
const fs = require("node:fs");
const path = require("node:path");

const settings = JSON.parse(process.env.FAKE_GO ?? "{}");
const [command, ...rest] = process.argv.slice(2);
fs.appendFileSync(process.env.FAKE_GO_LOG, `${[command, ...rest].join(" ")}\n`);

const { parts } = JSON.parse(fs.readFileSync(path.join(__dirname, "..", "..", "build", "real-parts.json"), "utf8"));

function module(at) {
  const [name, version] = at.split("@");
  const dir = path.join(process.env.GOMODCACHE, name.replaceAll("/", "_"));
  fs.mkdirSync(path.join(dir, "deploy", "crds"), { recursive: true });
  fs.writeFileSync(path.join(dir, "go.mod"), settings.goMod ?? `module ${name}\n\ngo 1.24.0\n\nreplace (\n\tk8s.io/api => ./staging/src/k8s.io/api\n)\n`);
  fs.writeFileSync(path.join(dir, "go.sum"), "");
  fs.writeFileSync(path.join(dir, "deploy", "crds", "bundle.yaml"), "kind: CustomResourceDefinition\n");
  const { sum, instead } = parts.find((part) => part.module === name && part.version === version) ?? {};
  for (const file of settings.noFiles ? [] : Object.keys(instead ?? {})) {
    fs.mkdirSync(path.join(dir, path.dirname(file)), { recursive: true });
    fs.writeFileSync(path.join(dir, file), "the module's own\n");
  }
  return { Path: name, Version: version, Sum: settings.sum ?? sum, Dir: dir, GoMod: path.join(dir, "go.mod") };
}

function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

if (command === "version") console.log(`go version go${settings.version ?? "1.26.8"} linux/amd64`);
else if (command === "env") console.log(settings.toolchain ?? "local");
else if (command === "mod") {
  if (settings.download) fail(settings.download);
  console.log(JSON.stringify(module(rest.at(-1))));
} else if (command === "build") {
  const program = rest[rest.indexOf("-o") + 1];
  const failure = settings.build?.[path.basename(program)];
  fs.mkdirSync(process.env.GOCACHE, { recursive: true });
  if (failure === "hangs") {
    fs.writeFileSync(program, "half of a program");
    process.stderr.write("half-way\ngo: found example.com/m in example.com/m v1.0.0\n");
    setInterval(() => undefined, 1000);
  } else if (failure) fail(failure);
  else {
    const { instead } = parts.find((part) => part.name === path.basename(program)) ?? {};
    const replaced = Object.keys(instead ?? {}).map((file) => `${file}: ${fs.readFileSync(path.join("module", file), "utf8")}`);
    fs.writeFileSync(program, `built from\n${fs.readFileSync("go.mod", "utf8")}${replaced.join("")}`);
  }
} else fail(`fake go: ${command} is not modelled`);
