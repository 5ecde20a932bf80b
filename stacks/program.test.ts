import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { mockEngine, only, type Registered, settle } from "../tests/support/pulumi-mocks";
import { STACKS } from "./definitions";
import main from "./index";
import type { StackName } from "./outputs";

process.env["SOPS_AGE_KEY_FILE"] = path.join(__dirname, "../secrets/lab-only.agekey");

const environment = (stack: string) => ({
  kubeconfig: "apiVersion: v1",
  clusterEndpoint: "https://192.168.1.12:6443",
  vms: { [`k8s-${stack}`]: "192.168.1.12" },
  urls: {},
});

/** What stacks that are up give. */
const REFERENCES = {
  tools: {
    outputs: {
      ...environment("tools"),
      templateIds: { node01: 9001, node02: 9002, node03: 9003 },
      vaultAddress: "https://vault.fullstack.pw",
      vaultToken: "hvs.t",
    },
    secretOutputNames: ["kubeconfig", "vaultToken"],
  },
  observability: { outputs: { ...environment("observability"), otlpEndpoint: "https://otel-collector.fullstack.pw" }, secretOutputNames: ["kubeconfig"] },
  dev: { outputs: { ...environment("dev"), appImage: "registry.fullstack.pw/library/ascii-frontend:1.0.0" }, secretOutputNames: ["kubeconfig"] },
  stg: { outputs: { ...environment("stg"), appImage: "registry.fullstack.pw/library/ascii-frontend:1.0.0" }, secretOutputNames: ["kubeconfig"] },
};

async function run(stack: StackName): Promise<{ registered: Registered[]; outputs: Record<string, unknown> }> {
  const registered = await mockEngine({ stack, references: REFERENCES });
  pulumi.runtime.setAllConfig({
    "homelab:acmeEmail": "certificates@fullstack.pw",
    ...(stack === "dev" ? { "homelab:appImage": "registry.fullstack.pw/library/ascii-frontend:1.0.0" } : {}),
  });
  const outputs = await main();
  const values = await new Promise<Record<string, unknown>>((resolve) => {
    pulumi.output(outputs).apply((plain) => resolve(plain));
  });
  await settle(registered);
  return { registered, outputs: values };
}

test.each(STACKS.map(({ name }) => name))("the program of %s registers its VMs, its cluster and its platform", async (stack) => {
  const { registered } = await run(stack);
  const count = (type: string) => registered.filter((r) => r.type === type).length;
  const definition = STACKS.find(({ name }) => name === stack);
  expect(count("homelab:hosts:Vm")).toBe(definition?.vms.length);
  expect(count("homelab:clusters:K3sCluster")).toBe(1);
  expect(count("homelab:platform:CertManager")).toBe(1);
  expect(count("homelab:platform:ExternalSecrets")).toBe(1);
  expect(count("homelab:platform:ExternalDns")).toBe(1);
  expect(count("homelab:platform:Vault")).toBe(stack === "tools" ? 1 : 0);
  expect(only(registered, "vault:kv/secretV2:SecretV2", `services-kubeconfig-clusters-${stack}-kubeconfig`).inputs["name"]).toBe(
    `clusters/${stack}/kubeconfig`,
  );
});
