/** What a promotion moves, by its flags, and which promotions are refused. Writes nothing. */
import { HomelabError } from "../../common/errors";
import { projectRoot } from "../../common/paths";
import { isSameImage, parseImage } from "../charts/image-reference";
import { type AppFacts, findApp, isAfter, type StackApps, settingsOf } from "./app-facts";
import { isCommitted, textsOf } from "./git-history";
import { type Move, refuse } from "./promotion";
import { pinned } from "./registry";
import { imagesIn } from "./settings-images";

/** The flags, as they are given. */
interface Flags {
  readonly from?: string | undefined;
  readonly image?: string | undefined;
  readonly to?: string | undefined;
  readonly back?: boolean;
}

/** Where an image is to go, and where it comes from: a stage, its own name, or the settings before. */
export interface Wanted {
  readonly to: string;
  readonly by: { readonly from: string } | { readonly image: string } | "back";
}

/** @throws HomelabError E_USAGE */
export function wantedOf(app: string, { from, image, to, back = false }: Flags): Wanted {
  const ways: Wanted["by"][] = [...(from === undefined ? [] : [{ from }]), ...(image === undefined ? [] : [{ image }]), ...(back ? (["back"] as const) : [])];
  const [by, ...more] = ways;
  if (to === undefined || by === undefined || more.length > 0)
    throw new HomelabError("E_USAGE", "homelab promote needs --to, and one of --from, --image and --back", {
      hint: `homelab promote ${app} --from <stack> --to <stack>`,
    });
  return { to, by };
}

function checkMovable({ movable, name, image }: AppFacts, stack: string): void {
  if (!movable)
    throw refuse(
      `${name} does not take its image from the settings of ${stack}`,
      name,
      `give it image: { setting: "images" } in site/apps; it is ${image} now`,
    );
}

/** The image of the stage before. */
async function forward(stacks: readonly StackApps[], app: string, from: string, to: string): Promise<Move> {
  const source = findApp(stacks, from, app);
  const target = findApp(stacks, to, app);
  if (from === to) throw refuse(`${app} is to go from ${from} to ${to}, which are the same`, app, "name two stages");
  if (!isAfter(stacks, to, from)) {
    const hint = isAfter(stacks, from, to)
      ? `an image goes from ${to} to ${from}; to go back in ${to}, run homelab promote ${app} --to ${to} --back`
      : `${to} needs to come after ${from} in site/stacks.ts`;
    throw refuse(`${to} is no stage after ${from}`, app, hint);
  }
  checkMovable(target.app, to);
  if (!(await isCommitted(projectRoot(), settingsOf(from))))
    throw refuse(`${settingsOf(from)} has changes that no commit has: what ${from} runs is not certain`, from, "commit them and bring it up first");
  return { app, from: source.stack, to: target.stack, now: target.app.image, next: await pinned(parseImage(source.app.image)) };
}

/** An image that was just built, for the first stage. Later stages get the image that the stage before them has run. */
async function built(stacks: readonly StackApps[], app: string, image: string, to: string): Promise<Move> {
  const target = findApp(stacks, to, app);
  checkMovable(target.app, to);
  const before = stacks.find(({ name, apps }) => apps.some((other) => other.name === app) && isAfter(stacks, to, name));
  if (before !== undefined)
    throw refuse(`${to} is not the first stage of ${app}`, app, `an image gets there by homelab promote ${app} --from ${before.name} --to ${to}`);
  const [wanted, own] = [parseImage(image), parseImage(target.app.image)];
  if (wanted.digest === undefined) throw refuse(`${image} has no digest`, app, "name it as the build did, with @sha256:…: a tag may be another image tomorrow");
  if (wanted.registry !== own.registry || wanted.repository !== own.repository)
    throw refuse(
      `${image} is not of ${own.registry}/${own.repository}, where the images of ${app} are`,
      app,
      `name one of those, or change ${settingsOf(to)} by hand`,
    );
  return { app, from: undefined, to: target.stack, now: target.app.image, next: await pinned(wanted) };
}

/** The image that was there before this one. */
async function backward(stacks: readonly StackApps[], app: string, to: string): Promise<Move> {
  const target = findApp(stacks, to, app);
  checkMovable(target.app, to);
  for await (const text of textsOf(projectRoot(), settingsOf(to))) {
    const before = imagesIn(text)[app];
    // Settings that name the same image in another way (with its digest, with another tag) are passed over.
    if (before !== undefined && !isSameImage(before, target.app.image))
      return { app, from: undefined, to: target.stack, now: target.app.image, next: await pinned(parseImage(before)) };
  }
  throw refuse(`no commit has another image of ${app} in ${to}`, app, "name one in its settings by hand");
}

/**
 * @param stacks all of them, in the order of the matrix
 * @throws HomelabError E_STACK_UNKNOWN, E_APP_UNKNOWN, E_PROMOTION, E_IMAGE, E_REGISTRY, E_IMAGE_UNKNOWN
 */
export async function moveOf(stacks: readonly StackApps[], app: string, { to, by }: Wanted): Promise<Move> {
  if (by === "back") return backward(stacks, app, to);
  return "from" in by ? forward(stacks, app, by.from, to) : built(stacks, app, by.image, to);
}
