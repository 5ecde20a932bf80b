import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { untilEnded } from "../../tests/support/ended";
import { TestProvider } from "../../tests/support/test-provider";
import { Secret } from "../sdk/values";
import { provider } from "./provider";

const COMMAND = "command:local:Command";

describe("command:local:Command", () => {
  let plugin: TestProvider;
  let dir: string;
  beforeEach(async () => {
    plugin = await TestProvider.start(provider);
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "local-command-"));
  });
  afterEach(async () => {
    await plugin.close();
    fs.rmSync(dir, { recursive: true });
  });

  test("runs in its folder with stdin and environment", async () => {
    const state = await plugin.make(COMMAND, { create: 'pwd; cat; echo "$GREETING" >&2', dir, stdin: "in\n", environment: { GREETING: "hello" } });
    expect(state.outputs).toMatchObject({ stdout: `${fs.realpathSync(dir)}\nin`, stderr: "hello" });
    expect(state.id).toMatch(/^it[0-9a-f]{8}$/);
  });

  test("takes another interpreter", async () => {
    expect((await plugin.make(COMMAND, { create: "process.stdout.write('js')", interpreter: [process.execPath, "-e"] })).outputs["stdout"]).toBe("js");
  });

  test("update and delete see the previous output", async () => {
    const state = await plugin.make(COMMAND, {
      create: "echo first",
      update: 'echo "after $PULUMI_COMMAND_STDOUT"',
      delete: `echo "$PULUMI_COMMAND_STDOUT" > "${dir}/end"`,
    });
    const updated = await plugin.update(COMMAND, state, { ...state.inputs, environment: { A: "1" } });
    expect(updated.outputs["stdout"]).toBe("after first");
    await plugin.delete(COMMAND, updated);
    expect(fs.readFileSync(path.join(dir, "end"), "utf8")).toBe("after first\n");
  });

  test("a failure tells exit code, command and both streams in order, and no secret", async () => {
    await expect(
      plugin.make(COMMAND, { create: 'echo out; echo "$TOKEN" >&2; exit 4', environment: { TOKEN: new Secret("tok-12345678") } }),
    ).rejects.toMatchObject({
      details: 'exit status 4: running "echo out; echo \\"$TOKEN\\" >&2; exit 4":\nout\n[secret]',
    });
  });

  test("a missing folder and an unsupported input are named", async () => {
    await expect(plugin.make(COMMAND, { create: "true", dir: `${dir}/none` })).rejects.toMatchObject({
      details: expect.stringMatching(/^\/bin\/sh cannot be started in .*none: /),
    });
    expect((await plugin.check(COMMAND, { create: "true", assetPaths: ["*"] })).failures).toEqual([
      "assetPaths: the embedded provider does not support this property; the official plugin may",
    ]);
  });

  test("a command that ends without reading a long input is no failure", async () => {
    expect((await plugin.make(COMMAND, { create: "echo done", stdin: "x".repeat(1_000_000) })).outputs["stdout"]).toBe("done");
  });

  test("cancel ends the command and its children", async () => {
    const pidFile = path.join(dir, "pid");
    const made = plugin
      .make(COMMAND, { create: `sleep 60 & echo $! > "${pidFile}.part"; mv "${pidFile}.part" "${pidFile}"; wait` })
      .catch((error: unknown) => error);
    while (!fs.existsSync(pidFile)) await new Promise((resolve) => setImmediate(resolve));
    await plugin.cancel();
    expect(await made).toMatchObject({ details: "the operation was cancelled" });
    const pid = Number(fs.readFileSync(pidFile, "utf8"));
    await untilEnded(pid);
  });
});
