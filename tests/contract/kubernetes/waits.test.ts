import { startLabApi } from "./under-test";
import { waitsSuite } from "./waits-suite";

describe("waits, on the lab's API", () => waitsSuite(() => startLabApi({ controllers: false })));
