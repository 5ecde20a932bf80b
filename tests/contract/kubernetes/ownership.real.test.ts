import { describeReal } from "../../support/real-parts";
import { ownershipSuite } from "./ownership-suite";
import { startRealApi } from "./under-test";

describeReal(["kube-apiserver", "etcd"], "owners of fields, on a real API", (pathOf) => ownershipSuite(() => startRealApi(pathOf)));
