/** Before its last step a rebuild looks for the images of applications. The workers are stand-ins that record what they were asked to do. */
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { systemClock } from "../../common/clock";
import { createRedactor } from "../../common/redact";
import { generateIdentity } from "../../secrets/age";
import { encryptSopsFile } from "../../secrets/sops-file";
import { treeAt } from "../../secrets/vault-paths";
import { LAB_SITE } from "../../tests/support/lab-site";
import { parseArguments } from "../cli/arguments";
import { APPROVE, RUN_FLAGS, WAIT, YES } from "../cli/flags";
import type { Session } from "../cli/session";
import { createSinks } from "../cli/sinks";
import { type RebuildRecord, readRebuild, writeRebuild } from "../store/rebuild-record";
import { StackGraph } from "../target/graph";
import { type RebuildParts, rebuild } from "./rebuild";

const identity = generateIdentity();
let folder: string;
let ran: string[];
let err: string;

let registry: http.Server;
let host: string;
/** The status that the registry answers with, by repository. */
let answers: Record<string, number>;
beforeAll(async () => {
  registry = http.createServer((request, response) => {
    const status = answers[/^\/v2\/([^/]+)\//.exec(request.url ?? "")?.[1] ?? ""] ?? 404;
    response.writeHead(status, { "docker-content-digest": `sha256:${"a".repeat(64)}` }).end();
  });
  await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
  host = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => registry.close(resolve)));

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-rebuild-images-"));
  fs.mkdirSync(path.join(folder, "secrets", "common"), { recursive: true });
  fs.writeFileSync(path.join(folder, "secrets", "common", "x.yaml"), encryptSopsFile(treeAt("x", { key: "value-of-x" }), [identity.recipient], new Date(0)));
  process.env["HOMELAB_SECRETS_DIR"] = path.join(folder, "secrets");
  process.env["SOPS_AGE_KEY"] = identity.secret;
  [ran, err] = [[], ""];
  answers = { web: 200, writer: 404 };
});
afterEach(() => {
  for (const name of ["HOMELAB_SECRETS_DIR", "SOPS_AGE_KEY"]) delete process.env[name];
  fs.rmSync(folder, { recursive: true });
});

const runsDir = (): string => path.join(folder, ".homelab", "runs");
const stack = (name: string, ...needs: string[]) => ({ name, description: "", needs });

/** `tools` serves the states and, where it is said to, a registry; `dev` and `prod` have applications. */
function parts(kind: "real" | "lab" = "real", registryOf = "tools"): RebuildParts {
  const app = (name: string, image: string) => ({ name, image, movable: true, delivery: "pulumi" as const, hosts: [] });
  return {
    openSite: async () => ({ kind, workDir: folder, runsDir: runsDir(), env: {}, lab: undefined }),
    describeProgram: async () => ({
      project: "homelab",
      site: "example.org",
      warnings: [],
      lab: { site: LAB_SITE },
      graph: new StackGraph([stack("tools"), stack("dev", "tools"), stack("prod", "dev")]),
      vms: new Map(),
      vaultStack: undefined,
      routes: [
        { host: "s3.example.org", owner: "minio", stack: "tools" },
        { host, owner: "harbor", stack: registryOf },
      ],
    }),
    changeSince: () => Promise.reject(new Error("no range was given")),
    readApps: async () => ({
      site: "example.org",
      stacks: [
        { ...stack("dev", "tools"), production: false, apps: [app("web", `${host}/web/web:1.0`), app("writer", `${host}/writer/writer:2.0`)] },
        { ...stack("prod", "dev"), production: true, apps: [app("writer", `${host}/writer/writer:2.0`), app("db", "docker.io/library/postgres:17")] },
      ],
    }),
    workers: () => ({
      run: ({ operation, stack: name }) => {
        ran.push(`${operation} ${name}`);
        return { result: Promise.resolve({ ok: true, changes: {} }), cancel: () => undefined };
      },
      warm: () => undefined,
      close: () => undefined,
    }),
  };
}

/** A rebuild whose first stacks are built, and whose states have moved. */
const RECORD: RebuildRecord = {
  version: 1,
  startedAt: "2026-01-01T00:00:00.000Z",
  target: "s3://states?endpoint=https://s3.example.org",
  local: "file:///states",
  existing: false,
  moved: true,
};

const FLAGS = [...RUN_FLAGS, YES, APPROVE, WAIT, ...["existing", "without-images"].map((name) => ({ name, help: "" })), { name: "to", value: "URL", help: "" }];

function go(flags: readonly string[], given = parts()): Promise<number> {
  writeRebuild(runsDir(), { ...RECORD, local: `file://${path.join(folder, "states")}` });
  const redactor = createRedactor();
  const errors = {
    write: (text: string) => {
      err += text;
    },
  };
  const session: Session = {
    ...createSinks(redactor, { write: () => undefined }, errors),
    terminal: { interactive: false, asks: false, colour: false, columns: () => 80, rows: () => 24 },
    ask: async () => undefined,
    clock: systemClock,
    onInterrupt: () => () => undefined,
    redactor,
  };
  return rebuild(parseArguments(["--yes", "--engine", "embedded", ...flags], FLAGS), session, given);
}

test("images that are missing stop it before any other stack is touched: they are named with who needs them, and the record stays", async () => {
  expect(await go([])).toBe(1);
  expect(ran).toEqual([]);
  expect(err).toBe(
    `error: the registry does not have 1 image yet:\n  ${host}/writer/writer:2.0: dev/writer, prod/writer\n` +
      "push them, from a copy or by their pipelines; then `homelab rebuild` goes on. --without-images goes on now: their pods wait for them\n" +
      "note: `homelab rebuild` goes on from here\n",
  );
  expect(readRebuild(runsDir())).toMatchObject({ moved: true });
});

test("once they are pushed, the same command goes on to the end", async () => {
  expect(await go([])).toBe(1);
  answers["writer"] = 200;
  expect(await go([])).toBe(0);
  expect(ran.filter((one) => one.startsWith("up "))).toEqual(["up dev", "up prod"]);
  expect(readRebuild(runsDir())).toBeUndefined();
});

test("--without-images goes on", async () => {
  expect([await go(["--without-images"]), err]).toEqual([0, expect.not.stringContaining("image")]);
  expect(ran).toContain("up prod");
});

test("an image of which the registry does not tell is noted, and stops nothing", async () => {
  answers["writer"] = 401;
  expect(await go([])).toBe(0);
  expect(err).toContain(`note: whether ${host}/writer/writer:2.0 is there is not known: the registry ${host} gives writer/writer to nobody without a login`);
});

test("a registry that is built only now has no images yet, and is not asked", async () => {
  expect(await go([], parts("real", "prod"))).toBe(0);
  expect(err).not.toContain("image");
});

test("in the lab nothing is pulled, and no registry is asked", async () => {
  expect(await go([], parts("lab"))).toBe(0);
  expect(err).not.toContain("image");
});
