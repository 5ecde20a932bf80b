/** Whether what boxes send is taken: the hub is in one stack, and lets in who is among its senders. Plain data. */
import { isDeepStrictEqual } from "node:util";
import { HomelabError } from "../../common/errors";
import type { Estate } from "../load/estate";
import type { LoadedStack } from "../load/stacks";

type Stacks = Pick<Estate, "stacks">;

const place = ({ path, key }: { readonly path: string; readonly key: string }): string => `${key} of ${path}`;

function hubOf({ stacks }: Stacks) {
  const hubs = stacks.flatMap((stack) => (stack.platform["otel-collector"] === undefined ? [] : [{ stack: stack.name, ...stack.platform["otel-collector"] }]));
  return hubs[0];
}

/** Without its password at the hub, a box runs and everything that it sends is refused. */
function boxProblem(estate: Stacks, { name, platform: { box } }: LoadedStack): string | undefined {
  const hub = hubOf(estate);
  if (box === undefined || hub === undefined) return undefined;
  const sender = hub.senders[name];
  if (sender === undefined) return `${name}: box: is not among the senders of otel-collector in ${hub.stack}, which would refuse it; add ${name} to them`;
  if (isDeepStrictEqual({ ...sender }, { ...box.credential })) return undefined;
  return `${name}: box: sends with ${place(box.credential)}, and otel-collector in ${hub.stack} takes ${place(sender)}; name the same in both`;
}

/** What a homelab may be like while it is built stack by stack, and is a mistake in one that is whole. */
export function senderWarnings(estate: Stacks): string[] {
  const names = estate.stacks.map(({ name }) => name);
  const hub = hubOf(estate);
  if (hub === undefined)
    return estate.stacks
      .filter(({ platform }) => platform.box !== undefined)
      .map(({ name }) => `${name}: box: what it sends is lost, since no stack has the module otel-collector; add it to one, or take box out`);
  return Object.keys(hub.senders)
    .filter((sender) => !names.includes(sender))
    .map((sender) => `${hub.stack}: otel-collector: has a sender ${sender}, and no stack has that name; the stacks are ${names.join(", ")}`);
}

/** @throws HomelabError E_PLATFORM */
export function checkSenders(estate: Stacks, stack: LoadedStack): void {
  const problem = boxProblem(estate, stack);
  if (problem !== undefined)
    throw new HomelabError("E_PLATFORM", problem, { subject: stack.name, hint: "correct the rows of both environments in the matrix" });
}
