import type { Latency } from "./world";

/** Milliseconds by name: short enough to wait for, long enough that order and progress can be seen. docs/lab.md repeats them. */
const DEFAULT_LATENCIES: Readonly<Record<string, number>> = {
  "proxmox.download": 800,
  "proxmox.create": 300,
  "proxmox.clone": 1500,
  "proxmox.config": 100,
  "proxmox.resize": 100,
  "proxmox.start": 300,
  "proxmox.stop": 200,
  "proxmox.delete": 200,
  "vm.boot": 1500,
  "ssh.connect": 20,
  "apt.install": 400,
  "k3s.start": 1500,
  "kubernetes.pod-ready": 600,
  "kubernetes.namespace-finalize": 200,
  "vault.start": 300,
  "artefacts.download": 100,
};

export type LatencyProfile = "zero" | "default";

/** @param overrides milliseconds by name, over the profile's */
export function createLatency(profile: LatencyProfile, overrides: Readonly<Record<string, number>> = {}): Latency {
  return { of: (name) => overrides[name] ?? (profile === "zero" ? 0 : (DEFAULT_LATENCIES[name] ?? 0)) };
}
