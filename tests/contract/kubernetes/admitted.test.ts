import { admittedSuite } from "./admitted-suite";
import { startLabApi } from "./under-test";

describe("what is not taken yet, on the lab's API", () => admittedSuite(() => startLabApi({ controllers: false })));
