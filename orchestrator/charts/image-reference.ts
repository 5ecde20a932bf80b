/** An image in its parts. Pure. */
import { HomelabError } from "../../common/errors";
import { type ImageReference, parseReference } from "../../common/image-reference";

/** @throws HomelabError E_IMAGE */
export function parseImage(image: string): ImageReference {
  const parts = parseReference(image);
  if (parts === undefined) throw new HomelabError("E_IMAGE", `"${image}" is no exact image`, { subject: image, hint: "with its registry and a tag or digest" });
  return parts;
}

const PARTS = /^(?<registry>[^/@]+)\/(?<repository>[^@]+?)(?::(?<tag>\w[\w.-]*))?(?:@(?<digest>.*))?$/;

/** An image as charts name them, in Docker's short form too: of `redis` that is `docker.io/library/redis`. */
export function imageOf(text: string): ImageReference {
  const [first = "", ...rest] = text.split("/");
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const full = hasRegistry ? text : `docker.io/${rest.length === 0 ? "library/" : ""}${text}`;
  const { registry = "docker.io", repository = "", tag, digest } = PARTS.exec(full)?.groups ?? {};
  return { registry, repository, tag, digest };
}

/** The same image with a digest, which names it for good; its tag stays for readers. */
export const withDigest = ({ registry, repository, tag }: ImageReference, digest: string): string =>
  `${registry}/${repository}${tag === undefined ? "" : `:${tag}`}@${digest}`;

/** For tables: `1.0.0 (3f2a91c0)`. */
export function shortImage(image: string): string {
  const { tag, digest } = parseImage(image);
  const short = digest === undefined ? undefined : digest.slice("sha256:".length, "sha256:".length + 8);
  return [tag, short === undefined ? undefined : `(${short})`].filter((part) => part !== undefined).join(" ");
}

/** Whether both name one image: by their digests, and where one has none by their tags. @throws HomelabError E_IMAGE */
export function isSameImage(one: string, other: string): boolean {
  const [a, b] = [parseImage(one), parseImage(other)];
  if (a.digest !== undefined && b.digest !== undefined) return a.digest === b.digest;
  return a.repository === b.repository && a.tag === b.tag;
}
