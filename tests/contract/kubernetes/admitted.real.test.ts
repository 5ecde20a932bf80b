import { describeReal } from "../../support/real-parts";
import { admittedSuite } from "./admitted-suite";
import { startRealApi } from "./under-test";

describeReal(["kube-apiserver", "etcd"], "what is not taken yet, on a real API", (pathOf) => admittedSuite(() => startRealApi(pathOf)));
