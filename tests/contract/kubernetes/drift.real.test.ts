import { describeReal } from "../../support/real-parts";
import { driftSuite } from "./drift-suite";
import { startRealApi } from "./under-test";

describeReal(["kube-apiserver", "etcd"], "drift, on a real API", (pathOf) => driftSuite(() => startRealApi(pathOf)));
