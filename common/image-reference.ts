/**
 * References of container images, by the grammar of https://github.com/distribution/reference, which Docker, containerd and the registries
 * share. Pure.
 *
 * Exact ones only: with their registry, as the short forms mean another one in each place, and with a tag or a digest.
 */

export interface ImageReference {
  /** Its host, with the port where there is one. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  /** `sha256:…` */
  readonly digest: string | undefined;
}

const PORT = "(?:[1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])";
/** A host with a dot or a port, or localhost: Docker takes anything else for a folder of its own registry. */
const REGISTRY = `(?=[^/]*[.:]|localhost/)[a-z0-9]+(?:(?:\\.|-+)[a-z0-9]+)*(?::${PORT})?`;
const PART = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const FORM = new RegExp(
  `^(?<registry>${REGISTRY})/(?<repository>${PART}(?:/${PART})*)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$`,
);
/** Of registry and repository together. */
const LONGEST = 255;

/** An exact image in its parts: `registry.example.org/library/app:1.0.0`; undefined: it is none. */
export function parseReference(text: string): ImageReference | undefined {
  const { registry: host, repository, tag, digest } = FORM.exec(text)?.groups ?? {};
  const registry = host === "index.docker.io" ? "docker.io" : host;
  if (registry === undefined || repository === undefined || (tag === undefined && digest === undefined)) return undefined;
  if (registry.length + 1 + repository.length > LONGEST) return undefined;
  // Docker Hub keeps its own images in the folder library, which its name may leave out.
  const isShort = registry === "docker.io" && !repository.includes("/");
  return { registry, repository: isShort ? `library/${repository}` : repository, tag, digest };
}

/** Whether its tag names a different image every time. A digest does not help: readers see the tag. */
export const isLatest = ({ tag }: Pick<ImageReference, "tag">): boolean => tag?.toLowerCase() === "latest";
