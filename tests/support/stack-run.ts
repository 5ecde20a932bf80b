/** A stack's program, run against the stand-in for the engine with the settings of the checkout. */
import * as fs from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { stacks } from "../../site/stacks";
import main from "../../stacks";
import { type MockOptions, mockEngine, type Registered, settle } from "./pulumi-mocks";

const ROOT = path.join(__dirname, "..", "..");

/** In the order of the matrix. */
export const STACK_NAMES = Object.keys(stacks);

const environment = (stack: string) => ({
  kubeconfig: "apiVersion: v1",
  clusterEndpoint: "https://192.168.1.12:6443",
  vms: { [`k8s-${stack}`]: "192.168.1.12" },
  urls: {},
});

/** What stacks that are up give. */
export const REFERENCES = {
  tools: {
    ...environment("tools"),
    templateIds: { node01: 9001, node02: 9002, node03: 9003 },
    vaultAddress: "https://vault.fullstack.pw",
    vaultId: "id-of-vault",
    vaultTokens: Object.fromEntries(STACK_NAMES.map((name) => [name, `hvs.${name}`])),
  },
  observability: { ...environment("observability"), otlpEndpoint: "https://otel-collector.fullstack.pw" },
  dev: { ...environment("dev"), appImage: "registry.fullstack.pw/library/ascii-frontend:1.0.0" },
  stg: { ...environment("stg"), appImage: "registry.fullstack.pw/library/ascii-frontend:1.0.0" },
};

const sortKeys = (_key: unknown, value: unknown): unknown =>
  typeof value !== "object" || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));

export const settingsOf = (stack: string): string => fs.readFileSync(path.join(ROOT, `Pulumi.${stack}.yaml`), "utf8");

/** Runs the program as a running program has its settings: text, the keys of maps sorted. */
export async function runStack(
  stack: string,
  options: Pick<MockOptions, "preview" | "onRequest"> = {},
): Promise<{ registered: Registered[]; outputs: Record<string, unknown> }> {
  process.env["SOPS_AGE_KEY_FILE"] = path.join(ROOT, "secrets", "lab-only.agekey");
  const registered = await mockEngine({ stack, references: REFERENCES, ...options });
  const { config } = parse(settingsOf(stack), sortKeys) as { config: Record<string, unknown> };
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(config).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)])),
  );
  const outputs = await main();
  const values = await new Promise<Record<string, unknown>>((resolve) => {
    pulumi.output(outputs).apply((plain) => resolve(plain));
  });
  await settle(registered);
  return { registered, outputs: values };
}

export const registeredBy = async (stack: string): Promise<Registered[]> => (await runStack(stack)).registered;
