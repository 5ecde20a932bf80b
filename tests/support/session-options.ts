/** Example options of a learner's session, and of the golden image from which it is cloned. */
import type { GoldenImageOptions } from "../../components/apps/sessions/golden-image";
import type { SessionOptions } from "../../components/apps/sessions/session-spec";

export const SESSION: SessionOptions = {
  id: "a1",
  kubernetesVersion: "1.33.0",
  goldenImage: { namespace: "vm-templates", name: "golden-1-33-0" },
  storageClass: "longhorn",
  cpuCores: 2,
  memory: "2Gi",
  diskSize: "10Gi",
  podCidr: "10.0.0.0/16",
  sshPublicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEH/iMrb1TsN580BUQcjVEP1QhqQxgnVfG1FHrVLcOgz learner",
  joinToken: "abcdef.0123456789abcdef",
  expires: "2026-11-30T12:00:00Z",
};

export const GOLDEN: GoldenImageOptions = {
  kubernetesVersion: "1.33.0",
  base: { url: "https://cloud.example.org/debian-12.qcow2", sha512: "a".repeat(128) },
  helm: { url: "https://get.example.org/helm.tar.gz", sha256: "b".repeat(64) },
  namespace: "vm-templates",
  storageClass: "longhorn",
  diskSize: "10Gi",
};
