import { KUBECTL_IMAGE } from "../../apps/sessions/objects";
import { CDI_NAMESPACE } from "../cdi/values";
import { defineModule, type Flow } from "../module";
import { kubevirtSessionsOptions } from "./options";
import { goldenImageOf } from "./values";

/** What a machine takes of its node: its own cores and memory, and what virt-launcher needs beside them. */
const MACHINE = { cpu: "1500m", memory: "2560Mi" };

/** What a machine that becomes a node downloads, beside the options' own addresses. */
const SOURCES = ["http://deb.debian.org", "https://pkgs.k8s.io", "https://registry.k8s.io"];

export const kubevirtSessions = defineModule({
  name: "kubevirt-sessions",
  summary: "what sessions of learners need once: the golden image that they are cloned from, and the reaper that deletes those that have expired",
  images: [{ image: KUBECTL_IMAGE, why: "kubectl with a shell, for the reaper and the Job of the golden image" }],
  options: kubevirtSessionsOptions,
  example: {
    goldenImage: {
      kubernetesVersion: "1.33.0",
      base: { url: "https://cloud.example.net/debian-12.qcow2", sha512: "a".repeat(128) },
      helm: { url: "https://get.example.net/helm.tar.gz", sha256: "b".repeat(64) },
    },
  },
  parts: (options, place) => {
    const golden = goldenImageOf(options, place);
    const images = golden.namespace;
    const sources = new Set([golden.base.url, golden.helm.url, ...SOURCES].map((url) => new URL(url).origin));
    const out = (of: string, why: string): Flow => ({ direction: "out", of, peer: "cluster", port: 6443, why });
    return {
      namespaces: [options.namespace, images],
      // virt-launcher's pods need more than `restricted` gives.
      podSecurity: { [images]: "baseline" },
      unlimited: [images],
      needs: ["kubevirt", "cdi"],
      storageClasses: [golden.storageClass],
      flows: [
        out(options.namespace, "lists sessions, and deletes those that have expired"),
        out(images, "the Job makes machines and disks, and waits for them"),
        { direction: "in", of: images, peer: CDI_NAMESPACE, port: 8443, why: "measures the pods that fill its disks" },
        { direction: "in", of: images, peer: images, port: 8443, why: "one disk is copied to another" },
        ...[...sources].map((peer): Flow => {
          const { port, protocol } = new URL(peer);
          return { direction: "out", of: images, peer, port: Number(port || (protocol === "http:" ? 80 : 443)), why: "what the image is made of" };
        }),
      ],
      workloads: [
        { name: "reaper", cpu: "10m", memory: "32Mi", onDemand: true },
        { name: "pipeline", namespace: images, cpu: "10m", memory: "64Mi", onDemand: true },
        { name: "machine", namespace: images, ...MACHINE, onDemand: true },
        { name: "disk", namespace: images, replicas: 2, onDemand: true },
      ],
      // Each can be built again, and a session has a copy of its own.
      volumes: [{ name: "disk", namespace: images, size: golden.diskSize, count: 4, disposable: true }],
    };
  },
  build: () => (require("./kubevirt-sessions") as typeof import("./kubevirt-sessions")).buildKubevirtSessions,
});
