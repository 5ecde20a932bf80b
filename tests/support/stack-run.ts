/** Runs a stack's program with the stand-in for the engine: of the tests' homelab, or of this checkout's own. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { writeFileAtomic } from "../../common/files";
import { labSecrets } from "../../orchestrator/target/lab-secrets";
import { type Estate, loadEstate } from "../../stacks/load/estate";
import { vmNames } from "../../stacks/load/stacks";
import { planEstate, type StackPlan } from "../../stacks/plan/plan";
import { HOMELAB, HOMELAB_SECRETS, loadHomelab, useHomelabSecrets } from "./homelab";
import { type MockOptions, mockEngine, type Registered, settle } from "./pulumi-mocks";

const ROOT = path.join(__dirname, "..", "..");

/** The outputs of a stack's applications that other stacks use. */
function outputsOfApps({ apps }: StackPlan, domain: string): Record<string, unknown> {
  const images = Object.fromEntries(apps.map(({ name }) => [name, `registry.${domain}/library/${name}:1.0.0`]));
  const urls = Object.fromEntries(
    apps.flatMap(({ spec: { ports }, outputs }) =>
      Object.entries(outputs).map(([output, source]) => [output, `https://${ports.find((port) => port.name === source.url)?.host}`]),
    ),
  );
  return { images, ...urls };
}

/** The outputs of all stacks, as if they were up. */
function references(estate: Estate): Record<string, Record<string, unknown>> {
  const plans = planEstate(estate);
  const { site, proxmox, stacks } = estate;
  return Object.fromEntries(
    stacks.map((stack) => [
      stack.name,
      {
        kubeconfig: "apiVersion: v1",
        clusterEndpoint: "https://203.0.113.12:6443",
        vms: Object.fromEntries(vmNames(stack).map((name) => [name, estate.vms.get(name)?.cloudInit.ipv4.address])),
        urls: {},
        ...(stack.preparesNodes ? { templateIds: Object.fromEntries(proxmox.nodes.map(({ name, templateId }) => [name, templateId])) } : {}),
        ...(stack.platform.vault === undefined
          ? {}
          : {
              vaultAddress: site.vaultAddress,
              vaultId: "id-of-vault",
              vaultTokens: Object.fromEntries(stacks.map(({ name }) => [name, `hvs.${name}`])),
            }),
        ...(plans.get(stack.name) === undefined ? {} : outputsOfApps(plans.get(stack.name) as StackPlan, site.domain)),
      },
    ]),
  );
}

const sortKeys = (_key: unknown, value: unknown): unknown =>
  typeof value !== "object" || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));

type RunOptions = Pick<MockOptions, "preview" | "onRequest">;

export interface StackRun {
  registered: Registered[];
  outputs: Record<string, unknown>;
}

export interface StackRuns {
  /** The names of the stacks, in the order of the matrix. */
  names: readonly string[];
  references: Readonly<Record<string, Record<string, unknown>>>;
  /** The text of a stack's settings file. */
  settingsOf(stack: string): string;
  /** Runs the program with the settings in the form in which an engine gives them: texts, with the keys of maps sorted. */
  run(stack: string, options?: RunOptions): Promise<StackRun>;
  /** The result of `run` without options, from one run for all callers, who must not change it. */
  ran(stack: string): Promise<StackRun>;
  registeredBy(stack: string): Promise<Registered[]>;
}

/**
 * The registrations of a stack's program, which are the same for all test files of a run of Jest. The first caller runs the program, and
 * the others read the result from the run's own home (own-environment.cjs), which is empty at the start.
 */
async function registeredOnce(key: string, run: () => Promise<Registered[]>): Promise<Registered[]> {
  const home = process.env["HOMELAB_TEST_HOME"];
  if (home === undefined) return run();
  const file = path.join(home, `registered-${key}.json`);
  if (!fs.existsSync(file)) writeFileAtomic(file, JSON.stringify(await run()));
  return JSON.parse(fs.readFileSync(file, "utf8"));
}

/** @param kept the name under which the registrations are stored for the run of Jest. Default: the program runs each time */
function stackRuns(load: () => Estate, root: string, secretsFolder: () => Promise<string>, kept?: string): StackRuns {
  const estate = load();
  const given = references(estate);
  const settingsOf = (stack: string): string => fs.readFileSync(path.join(root, `Pulumi.${stack}.yaml`), "utf8");
  const run: StackRuns["run"] = async (stack, options = {}) => {
    process.env["SOPS_AGE_KEY_FILE"] = path.join(ROOT, "secrets", "lab-only.agekey");
    process.env["HOMELAB_SECRETS_DIR"] = await secretsFolder();
    const registered = await mockEngine({ stack, references: given, ...options });
    const { config } = parse(settingsOf(stack), sortKeys) as { config: Record<string, unknown> };
    pulumi.runtime.setAllConfig(
      Object.fromEntries(Object.entries(config).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)])),
    );
    // Loaded late, since files that read stored registrations do not need the program: see registeredOnce.
    const { default: main } = await import("../../stacks");
    const outputs = await main(load);
    const values = await new Promise<Record<string, unknown>>((resolve) => {
      pulumi.output(outputs).apply((plain) => resolve(plain));
    });
    await settle(registered);
    return { registered, outputs: values };
  };
  const runs = new Map<string, Promise<StackRun>>();
  const ran = (stack: string): Promise<StackRun> => {
    const made = runs.get(stack) ?? run(stack);
    runs.set(stack, made);
    return made;
  };
  return {
    names: estate.stacks.map(({ name }) => name),
    references: given,
    settingsOf,
    run,
    ran,
    registeredBy: (stack) => {
      const registered = async () => (await ran(stack)).registered;
      return kept === undefined ? registered() : registeredOnce(`${kept}-${stack}`, registered);
    },
  };
}

/** Runs of the tests' homelab. */
export function homelabRuns(): StackRuns {
  useHomelabSecrets();
  return stackRuns(loadHomelab, HOMELAB, async () => HOMELAB_SECRETS, "tests");
}

/** Runs of the tests' homelab with a change. */
export function changedRuns(change: (estate: Estate) => Estate): StackRuns {
  useHomelabSecrets();
  return stackRuns(
    () => change(loadHomelab()),
    HOMELAB,
    async () => HOMELAB_SECRETS,
  );
}

/** Runs of this checkout's own homelab. If the lab's key does not decrypt its secrets, they are those that the lab generates. */
export function ownRuns(): StackRuns {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-own-secrets-"));
  afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));
  let folder: Promise<string> | undefined;
  const secretsFolder = async (): Promise<string> => {
    delete process.env["HOMELAB_SECRETS_DIR"];
    return (await labSecrets(dir)) ?? path.join(ROOT, "secrets");
  };
  const given = (): Promise<string> => {
    folder ??= secretsFolder();
    return folder;
  };
  return stackRuns(loadEstate, ROOT, given, "own");
}
