/** A release of k3s: the version, and the SHA-256 of its amd64 binary as the release's own list of checksums says. */
export interface K3sRelease {
  version: string;
  sha256: string;
}

/** What all clusters run. Raise both together; the role upgrades in place. */
export const K3S: K3sRelease = {
  version: "v1.33.5+k3s1",
  sha256: "0000000000000000000000000000000000000000000000000000000000000000",
};
