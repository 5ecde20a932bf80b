import { ENVIRONMENT_OUTPUTS } from "../define/stacks";
import { outputSchemas } from "./schemas";

test("what the matrix may refer to of every stack is what every stack gives", () => {
  expect(Object.keys(outputSchemas({ preparesNodes: false, platform: {}, apps: {} })).toSorted()).toEqual([...ENVIRONMENT_OUTPUTS].toSorted());
});
