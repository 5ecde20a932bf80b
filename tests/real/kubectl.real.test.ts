/** kubectl, in the version of the lab's API, with the commands that a person uses on the first day. */
import { kubectlObjects } from "../support/kubectl-objects";
import { kubectlPods } from "../support/kubectl-pods";
import { describeReal } from "../support/real-parts";

describeReal(["kubectl"], "kubectl and the lab's API", (pathOf) => {
  kubectlObjects(() => pathOf("kubectl"));
  kubectlPods(() => pathOf("kubectl"));
});
