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
