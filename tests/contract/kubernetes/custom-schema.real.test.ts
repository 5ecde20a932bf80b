import { describeReal } from "../../support/real-parts";
import { customSchemaSuite } from "./custom-schema-suite";
import { startRealApi } from "./under-test";

describeReal(["kube-apiserver", "etcd"], "schemas of custom resources, on a real API", (pathOf) => customSchemaSuite(() => startRealApi(pathOf)));
