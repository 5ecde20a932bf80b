import { ownershipSuite } from "./ownership-suite";
import { startLabApi } from "./under-test";

describe("owners of fields, on the lab's API", () => ownershipSuite(startLabApi));
