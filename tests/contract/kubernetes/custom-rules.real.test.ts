import { describeReal } from "../../support/real-parts";
import { customRulesSuite } from "./custom-rules-suite";
import { startRealApi } from "./under-test";

describeReal(["kube-apiserver", "etcd"], "rules of custom resources, on a real API", (pathOf) => customRulesSuite(() => startRealApi(pathOf)));
