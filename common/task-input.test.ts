import { z } from "zod";
import { HomelabError } from "./errors";
import { taskInput } from "./task-input";

const schema = z.strictObject({ do: z.enum(["look", "write"]), token: z.string() });

test("gives the task", () => {
  expect(taskInput(schema, '{"do":"look","token":"t"}\n')).toEqual({ do: "look", token: "t" });
});

test.each([
  ["", "no task is on standard input"],
  [" \n", "no task is on standard input"],
  ["hvs.secret", "the task on standard input is no JSON"],
  ['{"do":"look","token":"hvs.secret', "the task on standard input is no JSON"],
  ["{}", 'the task is not of the right form: ✖ Invalid option: expected one of "look"|"write"'],
  ['["hvs.secret"]', "the task is not of the right form"],
  ['{"do":"hvs.secret","token":1}', "the task is not of the right form"],
])("refuses %j, and quotes nothing of it", (input, message) => {
  let thrown: unknown;
  try {
    taskInput(schema, input);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(HomelabError);
  expect(thrown).toMatchObject({ code: "E_USAGE", message: expect.stringContaining(message) });
  expect((thrown as HomelabError).cause).toBeUndefined();
  expect(JSON.stringify([String(thrown), (thrown as HomelabError).hint ?? ""])).not.toContain("secret");
});
