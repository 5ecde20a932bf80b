/** Images of applications that the homelab's own registry does not have: pods that need them cannot start. */
import { HomelabError } from "../../common/errors";
import { imageOf, parseImage } from "../charts/image-reference";
import type { StackApps } from "./app-facts";
import { pinned } from "./registry";

export interface ImagesSeen {
  missing: { image: string; apps: string[] }[];
  /** Those of which it is not known, each with the reason, such as a registry that requires a login. */
  unknown: { image: string; why: string }[];
}

/** @param hosts names under which the homelab serves registries of its own; images of others are not asked for */
export async function missingImages(stacks: readonly StackApps[], hosts: ReadonlySet<string>): Promise<ImagesSeen> {
  const users = new Map<string, string[]>();
  for (const { name, apps } of stacks)
    for (const app of apps) if (hosts.has(imageOf(app.image).registry)) users.set(app.image, [...(users.get(app.image) ?? []), `${name}/${app.name}`]);
  const seen: ImagesSeen = { missing: [], unknown: [] };
  for (const [image, apps] of users) {
    try {
      await pinned(parseImage(image));
    } catch (thrown) {
      if (!(thrown instanceof HomelabError)) throw thrown;
      if (thrown.code === "E_IMAGE_UNKNOWN") seen.missing.push({ image, apps });
      else seen.unknown.push({ image, why: thrown.message });
    }
  }
  return seen;
}
