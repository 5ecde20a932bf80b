import { doubtLines } from "./doubt-text";

const cut = { id: "000001-x", operation: "destroy" };

test.each([
  ["nothing", { unfinished: undefined, inDoubt: [], damaged: [] }, []],
  [
    "a run that was cut",
    { unfinished: { ...cut, left: ["prod", "stg"] }, inDoubt: ["prod"], damaged: [] },
    ["an earlier run (destroy) did not end in order; in doubt: prod; not done: prod, stg"],
  ],
  [
    "a run that was cut, whose stacks were looked at since",
    { unfinished: { ...cut, left: ["prod"] }, inDoubt: [], damaged: [] },
    ["an earlier run (destroy) did not end in order; not done: prod"],
  ],
  [
    "a run that ended, with a stack that was cut",
    { unfinished: undefined, inDoubt: ["tools"], damaged: [] },
    ["an earlier run was cut in the middle of a stack; in doubt: tools"],
  ],
  [
    "a journal with a hole",
    { unfinished: undefined, inDoubt: [], damaged: [{ dir: "/runs/1", damage: "line 2 is not what a run writes", stacks: ["dev"] }] },
    ["/runs/1: line 2 is not what a run writes, so all stacks of that run are in doubt, except those whose end can be read"],
  ],
])("%s", (_, { unfinished, inDoubt, damaged }, lines) => {
  expect(doubtLines({ standings: new Map(), needed: new Set(), unfinished, inDoubt, damaged })).toEqual(lines);
});
