/** The real CLI runs programs, plugins and dynamic providers with our language host. */

import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { isProcessAlive } from "../../common/processes";
import { cliEnvironment, type RealCli, realCli } from "../support/real-cli";
import { describeReal } from "../support/real-parts";

const ROOT = path.resolve(__dirname, "../..");
const PROVIDER = path.join(ROOT, "tests/conformance/engine/provider");

describeReal(["pulumi"], "the real CLI with a language host of ours", (pathOf) => {
  let folder: string;
  let cli: RealCli;

  beforeEach(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "cli-")));
    fs.mkdirSync(path.join(folder, "backend"));
    fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
    fs.writeFileSync(path.join(folder, "package.json"), '{ "main": "index.js" }');
    writeProject({ typescript: false });
    cli = realCli(folder);
    expect(await run("", ["stack", "init", "dev"])).toMatchObject({ status: 0 });
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  const variables = () => ({ PULUMI_BACKEND_URL: `file://${folder}/backend`, PULUMI_CONFIG_PASSPHRASE: "x", EXP_DIR: folder });

  function writeProject(options: object): void {
    const plugins = { providers: [{ name: "exp", path: PROVIDER }] };
    fs.writeFileSync(path.join(folder, "Pulumi.yaml"), JSON.stringify({ name: "hosted", runtime: { name: "nodejs", options }, plugins }));
  }

  async function run(program: string, args: string[] = ["up", "--yes", "--skip-preview", "--stack", "dev"]) {
    fs.writeFileSync(path.join(folder, "index.js"), program);
    const { status, stdout, stderr } = await cli.run(args, { cwd: folder, env: variables() });
    return { status, text: stdout + stderr };
  }

  test("a program goes up, its output is shown, and its secret configuration is secret", async () => {
    await run("", ["config", "set", "--secret", "word", "abracadabra", "--stack", "dev"]);
    const done = await run(`
      const pulumi = require("@pulumi/pulumi");
      console.log("a line of the program");
      exports.word = new pulumi.Config().require("word");
      exports.length = exports.word.length;`);
    expect(done).toMatchObject({ status: 0 });
    expect(done.text).toContain("a line of the program");
    expect(done.text).toMatch(/word +: "\[secret\]"/);
    expect(done.text).not.toContain("abracadabra");
  });

  test("a program that throws is shown once, and fails", async () => {
    const done = await run(`throw new Error("no luck");`);
    expect(done.status).toBe(1);
    expect(done.text.match(/Error: no luck/g)).toHaveLength(1);
    expect(done.text).not.toContain("non-zero exit code");
  });

  test("a program that exits with a code, and one that is killed, are named", async () => {
    expect((await run("process.exit(3);")).text).toContain("Program exited with non-zero exit code: 3");
    expect((await run(`process.kill(process.pid, "SIGKILL");`)).text).toContain("Program was ended by SIGKILL");
  });

  test("an unknown option of the runtime is refused by name", async () => {
    writeProject({ typescirpt: false });
    const done = await run("");
    expect(done.status).not.toBe(0);
    expect(done.text).toContain("runtime option typescirpt is unknown");
  });

  test("a dynamic provider runs, and what it throws fails its resource alone", async () => {
    const dynamic = (fails: boolean) => `
      const pulumi = require("@pulumi/pulumi");
      const provider = { async create(inputs) { if (inputs.fails) throw new Error("refused by it"); return { id: "made", outs: { ...inputs, answer: 42 } }; } };
      class Thing extends pulumi.dynamic.Resource { constructor(name, props) { super(provider, name, { answer: undefined, ...props }); } }
      exports.answer = new Thing("one", { fails: ${fails} }).answer;`;
    const failed = await run(dynamic(true));
    expect(failed.status).not.toBe(0);
    expect(failed.text).toContain("refused by it");
    expect(await run(dynamic(false))).toMatchObject({ status: 0 });
    expect((await run("", ["stack", "output", "answer", "--stack", "dev"])).text.trim()).toBe("42");
  });

  test("a plugin that is a Node package is started by the host, and what it prints is shown", async () => {
    fs.cpSync(path.join(ROOT, "tests/conformance/engine/program-with-plugins"), folder, { recursive: true });
    fs.cpSync(PROVIDER, path.join(folder, "provider"), { recursive: true });
    const plugin = path.join(folder, "comp", "index.js");
    fs.writeFileSync(plugin, `setInterval(() => console.error("the plugin says so"), 100).unref();\n${fs.readFileSync(plugin, "utf8")}`);
    await cli.run(["stack", "init", "dev2"], { cwd: folder, env: variables() });
    // The CLI shows a plugin's output as debug messages.
    const up = await cli.run(["up", "--debug", "--yes", "--skip-preview", "--stack", "dev2"], { cwd: folder, env: { ...variables(), SPEC: "[]" } });
    expect({ status: up.status, said: (up.stdout + up.stderr).includes("the plugin says so") }).toEqual({ status: 0, said: true });
  });

  test("one SIGINT cancels: the program ends with it", async () => {
    const mark = path.join(folder, "program.pid");
    fs.writeFileSync(
      path.join(folder, "index.js"),
      `require("fs").writeFileSync(${JSON.stringify(mark)}, String(process.pid)); setInterval(() => undefined, 1000);`,
    );
    const env = { ...process.env, ...cliEnvironment(pathOf("pulumi"), folder), ...variables() };
    const child = spawn(cli.path, ["up", "--yes", "--skip-preview", "--stack", "dev", "--non-interactive"], { cwd: folder, env, stdio: "ignore" });
    const ended = new Promise((resolve) => child.once("close", resolve));
    while (!fs.existsSync(mark) || fs.readFileSync(mark, "utf8") === "") await new Promise((resolve) => setTimeout(resolve, 50));
    const pid = Number(fs.readFileSync(mark, "utf8"));
    child.kill("SIGINT");
    expect(await ended).not.toBe(0);
    // The CLI does not wait for the language host, and the host not for the program, which may run a moment longer.
    while (isProcessAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isProcessAlive(pid)).toBe(false);
  });
});
