import { customSchemaSuite } from "./custom-schema-suite";
import { startLabApi } from "./under-test";

describe("schemas of custom resources, on the lab's API", () => customSchemaSuite(startLabApi));
