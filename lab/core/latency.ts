import type { Latency } from "./world";

/** Milliseconds by name: short enough to wait for, long enough that order and progress can be seen. docs/lab.md repeats them. */
const DEFAULT_LATENCIES: Readonly<Record<string, number>> = {
  "proxmox.download": 500,
  "proxmox.create": 200,
  "proxmox.clone": 800,
  "proxmox.config": 50,
  "proxmox.resize": 50,
  "proxmox.start": 200,
  "proxmox.stop": 200,
  "proxmox.delete": 100,
  "proxmox.reload": 200,
  "vm.boot": 800,
  "ssh.connect": 20,
  "apt.install": 200,
  "k3s.start": 800,
  "external-dns.sync": 200,
  "argo-cd.poll": 3_000,
  "kubernetes.pod-ready": 400,
  "kubernetes.namespace-finalize": 100,
  "kubernetes.webhook-trusted": 300,
  "vault.start": 200,
  "artefacts.download": 50,
};

export type LatencyProfile = "zero" | "default";

/** @param overrides milliseconds by name, over the profile's */
export function createLatency(profile: LatencyProfile, overrides: Readonly<Record<string, number>> = {}): Latency {
  return { of: (name) => overrides[name] ?? (profile === "zero" ? 0 : (DEFAULT_LATENCIES[name] ?? 0)) };
}
