/** A release of k3s: the version, and the SHA-256 of its amd64 binary as the release's own list of checksums says. */
export interface K3sRelease {
  version: string;
  sha256: string;
}

/** What all clusters run. Raise both together; the role upgrades in place. */
export const K3S: K3sRelease = {
  version: "v1.36.2+k3s1",
  sha256: "65a55ec56c24eab44383086166ec620a491952b7e23941a49ddca6e8a4c4b4de",
};

/** A download of a release that its users pin: version, and SHA-256 of the file for amd64. */
export interface PinnedRelease {
  version: string;
  sha256: string;
}

/**
 * Packages of pkgs.k8s.io: the version, and the package's revision. The same Kubernetes as k3s's: what modules are planned for is then one
 * version. 1.33, which the system before this repository ran, gets no fixes.
 */
export const KUBERNETES = { version: "1.36.2", revision: "1.1" };

/** Keys of package sources by fingerprint, as their owners publish them. */
export const KEYS = {
  kubernetes: "DE15B14486CD377B9E876E1A234654DA9A296436",
  teleport: "0C5E8BA5658E320D1B031179C87ED53A6282C411",
};

/** The newest release of the major version that the system before this repository ran. */
export const TELEPORT_VERSION = "17.7.1";
/**
 * The newest release of the second newest minor version. 1.14, which the system before this repository ran, gets no fixes and does not know
 * `policyCIDRMatchMode`. A cluster with an older Cilium is upgraded by one minor version at a time (`cilium.version` in the settings, one
 * run for each).
 */
export const CILIUM_VERSION = "1.19.6";
/** The container images that the roles run themselves. */
export const PIHOLE_IMAGE = "docker.io/pihole/pihole:2025.08.0";
