import { driftSuite } from "./drift-suite";
import { startLabApi } from "./under-test";

describe("drift, on the lab's API", () => driftSuite(startLabApi));
