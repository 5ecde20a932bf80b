/** Whether what boxes send is taken: the hub is in one stack, and lets in who is among its senders. Plain data. */
import { isDeepStrictEqual } from "node:util";
import { HomelabError } from "../../common/errors";
import type { Estate } from "../load/estate";
import type { LoadedStack } from "../load/stacks";

type Stacks = Pick<Estate, "stacks">;

const place = ({ path, key }: { readonly path: string; readonly key: string }): string => `${key} of ${path}`;

/** Without its password at the hub, a box runs and everything that it sends is refused. */
function boxProblem({ stacks }: Stacks, { name, platform: { box } }: LoadedStack): string | undefined {
  if (box === undefined) return undefined;
  const hubs = stacks.flatMap((stack) => (stack.platform["otel-collector"] === undefined ? [] : [{ stack: stack.name, ...stack.platform["otel-collector"] }]));
  const [hub] = hubs;
  if (hub === undefined) return `${name}: box: sends to the hub, and no stack has the module otel-collector; add it to one, or take box out`;
  const sender = hub.senders[name];
  if (sender === undefined) return `${name}: box: is not among the senders of otel-collector in ${hub.stack}, which would refuse it; add ${name} to them`;
  if (isDeepStrictEqual({ ...sender }, { ...box.credential })) return undefined;
  return `${name}: box: sends with ${place(box.credential)}, and otel-collector in ${hub.stack} takes ${place(sender)}; name the same in both`;
}

function senderProblems({ stacks }: Stacks, { name, platform }: LoadedStack): string[] {
  const names = stacks.map((stack) => stack.name);
  return Object.keys(platform["otel-collector"]?.senders ?? {})
    .filter((sender) => !names.includes(sender))
    .map((sender) => `${name}: otel-collector: has a sender ${sender}, and no stack has that name; the stacks are ${names.join(", ")}`);
}

/** @throws HomelabError E_PLATFORM */
export function checkSenders(estate: Stacks, stack: LoadedStack): void {
  const [problem] = [boxProblem(estate, stack) ?? [], senderProblems(estate, stack)].flat();
  if (problem !== undefined)
    throw new HomelabError("E_PLATFORM", problem, { subject: stack.name, hint: "correct the rows of both environments in the matrix" });
}
