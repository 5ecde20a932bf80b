/** The kubectl of the version that the lab's API answers as, over all that a person types on the first day. */
import { kubectlObjects } from "../support/kubectl-objects";
import { kubectlPods } from "../support/kubectl-pods";
import { describeReal } from "../support/real-parts";

describeReal(["kubectl"], "kubectl and the lab's API", (pathOf) => {
  kubectlObjects(() => pathOf("kubectl"));
  kubectlPods(() => pathOf("kubectl"));
});
