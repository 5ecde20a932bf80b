import { loadHomelab } from "../../tests/support/homelab";
import type { Estate } from "../load/estate";
import { checkSenders, senderWarnings } from "./senders";

const estate = loadHomelab();
const only = (...names: string[]): Estate => ({ ...estate, stacks: estate.stacks.filter(({ name }) => names.includes(name)) });

test("where there is no hub yet, each box is warned about, and none is refused", () => {
  const homelab = only("tools", "dev");
  expect(senderWarnings(homelab)).toEqual(
    ["tools", "dev"].map((name) => `${name}: box: what it sends is lost, since no stack has the module otel-collector; add it to one, or take box out`),
  );
  for (const stack of homelab.stacks) checkSenders(homelab, stack);
});

test("a sender that no stack is yet is warned about, and not refused", () => {
  const homelab = only("tools", "observability");
  expect(senderWarnings(homelab)[0]).toMatch(
    /^observability: otel-collector: has a sender \w+, and no stack has that name; the stacks are tools, observability$/,
  );
  for (const stack of homelab.stacks) checkSenders(homelab, stack);
});

test("of the whole homelab, nothing", () => {
  expect(senderWarnings(estate)).toEqual([]);
});
