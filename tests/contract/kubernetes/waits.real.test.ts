import { describeReal } from "../../support/real-parts";
import { startRealApi } from "./under-test";
import { waitsSuite } from "./waits-suite";

describeReal(["kube-apiserver", "etcd"], "waits, on a real API", (pathOf) => waitsSuite(() => startRealApi(pathOf)));
