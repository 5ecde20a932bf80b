import { customRulesSuite } from "./custom-rules-suite";
import { startLabApi } from "./under-test";

describe("rules of custom resources, on the lab's API", () => customRulesSuite(startLabApi));
