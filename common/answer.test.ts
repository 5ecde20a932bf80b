import { z } from "zod";
import { answered, answeredJson } from "./answer";
import { describeError } from "./errors";

const OF = { from: "GET /nodes of https://pve", hint: "check the address" };
const said = (work: () => unknown): string => {
  try {
    return JSON.stringify(work());
  } catch (thrown) {
    return describeError(thrown);
  }
};
const schema = z.object({ data: z.array(z.object({ node: z.string() })) });

test.each([
  ['{"data":[{"node":"a"}]}', '{"data":[{"node":"a"}]}'],
  ["<html>hunter2</html>", "GET /nodes of https://pve: the answer is no JSON\n  next: check the address"],
  ["\n", "GET /nodes of https://pve: the answer is empty\n  next: check the address"],
  [
    '{"data":[{"node":"a"},{"node":7}],"secret":"hunter2"}',
    "GET /nodes of https://pve: the answer is not of the expected form: data.1.node: Invalid input: expected string, received number\n  next: check the address",
  ],
  ["7", "GET /nodes of https://pve: the answer is not of the expected form: Invalid input: expected object, received number\n  next: check the address"],
])("%j is read, or refused without quoting it", (text, expected) => {
  expect(said(() => answered(schema, text, OF))).toBe(expected);
});

test("answeredJson accepts JSON of any form", () => {
  expect([said(() => answeredJson("[1]", OF)), said(() => answeredJson("[1", { ...OF, code: "E_X" }))]).toEqual([
    "[1]",
    "GET /nodes of https://pve: the answer is no JSON\n  next: check the address",
  ]);
});
