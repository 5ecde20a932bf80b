import { defineApp } from "../../stacks/define/app";

/** The part of Immich that needs no database. The version is that of the original system. */
export const immichMachineLearning = defineApp({
  image: "ghcr.io/immich-app/immich-machine-learning:v1.119.0",
  ports: [{ name: "http", port: 3003 }],
  healthPath: "/ping",
  environment: { OTEL_EXPORTER_OTLP_ENDPOINT: { from: "observability", output: "otlpEndpoint" }, TRANSFORMERS_CACHE: "/cache" },
  flows: [{ direction: "out", peer: "https://huggingface.co", port: 443, why: "downloads its models" }],
  writable: ["/cache"],
  exceptions: [
    { rule: "non-root", why: "the image runs as root and has no other user" },
    { rule: "capabilities", why: "as above: its files are root's" },
    { rule: "read-only-root", why: "Python writes what it compiled beside its sources" },
  ],
  resources: { cpu: "500m", memory: "1Gi", memoryLimit: "4Gi" },
});
