/** The seven stacks: which there are, what each needs and which VMs it owns. What a new one needs elsewhere: docs/adr/0001. */
import { type AnyStackDefinition, defineStack } from "./graph";

const STORE = "cluster-secret-store/secrets";

/** What it takes to build VMs, reach them and certify their host names; the rest comes from Vault. */
const BUILD_SECRETS = [`${STORE}/PROXMOX_TOKEN_ID`, `${STORE}/PROXMOX_SECRET`, `${STORE}/SSH_PRIVATE_KEY`, "cloudflare"];

const tools = defineStack({
  name: "tools",
  description: "Proxmox hosts and the VMs and services that all others use: DNS, proxy, access, Vault, object storage",
  needs: [],
  vms: ["dns", "haproxy", "teleport", "boot-server", "k8s-tools"],
  secrets: "all",
  program: () => (require("./environments/tools") as typeof import("./environments/tools")).tools,
});

const observability = defineStack({
  name: "observability",
  description: "where traces of all environments go",
  needs: ["tools"],
  vms: ["k8s-observability"],
  secrets: BUILD_SECRETS,
  program: () => (require("./environments/observability") as typeof import("./environments/observability")).observability,
});

const home = defineStack({
  name: "home",
  description: "what the family uses, on the host with the photo disk",
  needs: ["tools", "observability"],
  vms: ["k8s-home"],
  secrets: BUILD_SECRETS,
  program: () => (require("./environments/home") as typeof import("./environments/home")).home,
});

const sandboxy = defineStack({
  name: "sandboxy",
  description: "the cluster for experiments",
  needs: ["tools", "observability"],
  vms: ["k8s-sandbox-01"],
  secrets: BUILD_SECRETS,
  program: () => (require("./environments/sandboxy") as typeof import("./environments/sandboxy")).sandboxy,
});

const dev = defineStack({
  name: "dev",
  description: "applications as they are developed",
  needs: ["tools", "observability"],
  vms: ["k8s-dev"],
  secrets: BUILD_SECRETS,
  program: () => (require("./environments/dev") as typeof import("./environments/dev")).dev,
});

const stg = defineStack({
  name: "stg",
  description: "the last stop before production: runs the image that dev ran",
  needs: ["tools", "observability", "dev"],
  vms: ["k8s-stg"],
  secrets: BUILD_SECRETS,
  program: () => (require("./environments/stg") as typeof import("./environments/stg")).stg,
});

const prod = defineStack({
  name: "prod",
  description: "applications in production: runs the image that stg ran",
  needs: ["tools", "observability", "stg"],
  vms: ["k8s-prod"],
  secrets: BUILD_SECRETS,
  program: () => (require("./environments/prod") as typeof import("./environments/prod")).prod,
});

export const STACKS: readonly AnyStackDefinition[] = [tools, observability, home, sandboxy, dev, stg, prod];
