/** Which homelab a lab models: the one that it is given, and from then on that one, which may grow. */
import * as fs from "node:fs";
import { HomelabError } from "../common/errors";
import { type LabSite, otherHomelab, parseLabSite } from "../common/lab-site";

/**
 * The facts of a site, from a file.
 * @throws HomelabError E_LAB_SITE when it cannot be read or is no such document
 */
export function readSite(file: string): LabSite {
  let value: unknown;
  try {
    value = JSON.parse(fs.readFileSync(file, "utf8"));
  } catch (cause) {
    throw new HomelabError("E_LAB_SITE", `the facts of the site, ${file}, cannot be read`, {
      cause,
      subject: file,
      hint: "write them with `node bin/stacks/lab-site.js`",
    });
  }
  return parseLabSite(value, file);
}

/**
 * @param given what the lab is started with, where it is
 * @param held of the folder's snapshot, where it has one
 * @throws HomelabError E_LAB_SITE without either, E_LAB_OTHER_SITE when they are two homelabs
 */
export function chooseSite(given: LabSite | undefined, held: LabSite | undefined, dir: string): LabSite {
  const site = given ?? held;
  if (site === undefined)
    throw new HomelabError("E_LAB_SITE", `the lab of ${dir} is new, and was not told which homelab to model`, {
      subject: dir,
      hint: "give the site's facts with --site FILE (`node bin/stacks/lab-site.js` prints them); `npx homelab lab start` does",
    });
  if (held !== undefined) requireSame(held, site, dir);
  return site;
}

/** @throws HomelabError E_LAB_OTHER_SITE */
export function requireSame(held: LabSite, given: LabSite, dir: string): void {
  const difference = otherHomelab(held, given);
  if (difference === undefined) return;
  throw new HomelabError("E_LAB_OTHER_SITE", `the lab of ${dir} holds another homelab: ${difference}`, {
    subject: dir,
    hint: `stop it and remove ${dir} to begin with an empty homelab, or keep it and use another folder: HOMELAB_LAB_DIR=FOLDER`,
  });
}
