import { stepsOf } from "./resume-run";

const known = new Set(["tools", "dev", "stg", "home"]);

test("what is left of the run goes on with its own operation", () => {
  const unfinished = { id: "000001-x", operation: "destroy", left: ["dev", "tools"] };
  expect(stepsOf({ unfinished, inDoubt: ["dev"] }, known)).toEqual([{ operation: "destroy", stacks: ["dev", "tools"] }]);
});

test("a stack in doubt that is not one of the run's is read again, and not destroyed or built", () => {
  const unfinished = { id: "000002-x", operation: "destroy", left: ["dev"] };
  expect(stepsOf({ unfinished, inDoubt: ["dev", "home"] }, known)).toEqual([
    { operation: "refresh", stacks: ["home"] },
    { operation: "destroy", stacks: ["dev"] },
  ]);
  expect(stepsOf({ unfinished: undefined, inDoubt: ["home"] }, known)).toEqual([{ operation: "refresh", stacks: ["home"] }]);
});

test("a stack that the program no longer has, and a run whose operation is not known, are left alone", () => {
  const unfinished = { id: "000003-x", operation: "up", left: ["gone"] };
  expect(stepsOf({ unfinished, inDoubt: ["gone"] }, known)).toEqual([]);
  expect(stepsOf({ unfinished: { ...unfinished, operation: "", left: ["dev"] }, inDoubt: [] }, known)).toEqual([]);
  expect(stepsOf({ unfinished: undefined, inDoubt: [] }, known)).toEqual([]);
});
