/**
 * The main job by both engines in turns. The Pulumi CLI builds the homelab from nothing; the embedded engine finds no change and destroys
 * it. Then the other way round. It uses our providers, on a machine without installed plugins or downloads. The results are judged by
 * what the lab saw.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { cliEnvironment, EMBEDDED } from "../support/real-cli";
import { describeReal } from "../support/real-parts";
import { type Finished, Rehearsal } from "../support/rehearsal";

/** Both engines build the lab in under two minutes on an idle machine. */
const LIMIT_MS = 20 * 60_000;
const STACKS = ["tools", "observability", "home", "sandboxy", "dev", "stg", "prod"];
const VMS = [
  ...["boot-server", "dns", "haproxy", "k8s-dev", "k8s-home", "k8s-observability", "k8s-prod", "k8s-sandbox-01", "k8s-stg", "k8s-tools"],
  "teleport",
];

describeReal(["pulumi"], "the whole homelab by the Pulumi CLI", (pathOf) => {
  const rehearsal = new Rehearsal();
  let home: string;
  let cli: Record<string, string>;
  beforeAll(async () => {
    home = path.join(rehearsal.dir, "home");
    // PATH has only this Node, the CLI and the system's programs. The check makes sure that `pulumi` is not the embedded engine.
    expect(fs.realpathSync(pathOf("pulumi"))).not.toBe(EMBEDDED);
    const environment = cliEnvironment(pathOf("pulumi"), rehearsal.dir);
    const [languageHost = ""] = (environment["PATH"] ?? "").split(path.delimiter);
    cli = { ...environment, PATH: [languageHost, path.dirname(pathOf("pulumi")), path.dirname(process.execPath), "/usr/bin", "/bin"].join(path.delimiter) };
    await rehearsal.startLab();
  }, LIMIT_MS);
  afterAll(() => rehearsal.close(), LIMIT_MS);

  const by = (engine: string, command: string): Promise<Finished> => rehearsal.start([command, "--lab", "--engine", engine], { env: cli }).done;
  const vmNames = async (): Promise<(string | undefined)[]> =>
    (await rehearsal.vms()).filter(({ config }) => config["template"] !== "1").map(({ config }) => config["name"]);
  /** Files below a folder; none if it does not exist. */
  const files = (folder: string): string[] => (fs.existsSync(folder) ? fs.readdirSync(folder, { recursive: true }).map(String) : []);

  describe.each([
    { first: "pulumi", second: "embedded", again: ["embedded", "pulumi"] },
    // `make test` shows that the embedded engine finds no change after its own up.
    { first: "embedded", second: "pulumi", again: ["pulumi"] },
  ])("$first first", ({ first, second, again }) => {
    test(
      "up builds seven stacks",
      async () => {
        const { code, stdout, stderr } = await by(first, "up");
        expect([code, stderr]).toEqual([0, ""]);
        for (const stack of STACKS) expect(stdout).toContain(`[${stack}] succeeded in `);
        expect((await vmNames()).toSorted()).toEqual(VMS);
      },
      LIMIT_MS,
    );

    test(
      "a second up changes nothing",
      async () => {
        await rehearsal.settle();
        const since = await rehearsal.lastSeq();
        for (const engine of again) {
          const { code, stderr } = await by(engine, "up");
          expect([engine, code, stderr]).toEqual([engine, 0, ""]);
        }
        // A run without a change only reads, except for logins to Vault.
        expect((await rehearsal.writes(since)).filter(({ system }) => system !== "vault")).toEqual([]);
      },
      LIMIT_MS,
    );

    test(
      "the other engine destroys it all, and no plugin was installed or asked for anywhere",
      async () => {
        const { code, stderr } = await by(second, "destroy");
        expect([code, stderr]).toEqual([0, ""]);
        expect(await vmNames()).toEqual([]);
        expect(files(path.join(home, "plugins"))).toEqual([]);
        expect(await rehearsal.unhandled()).toEqual([]);
      },
      LIMIT_MS,
    );
  });
});
