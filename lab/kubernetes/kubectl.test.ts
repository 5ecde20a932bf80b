/** The kubectl of this machine against the lab's API; tests/real/kubectl.real.test.ts has the one that the lab answers as. */
import * as fs from "node:fs";
import * as path from "node:path";
import { kubectlObjects } from "../../tests/support/kubectl-objects";
import { kubectlPods } from "../../tests/support/kubectl-pods";
import { describeWhere } from "../../tests/support/skips";

const found = ["/usr/local/bin", "/usr/bin", "/opt/homebrew/bin"].map((folder) => path.join(folder, "kubectl")).find((file) => fs.existsSync(file));

describeWhere(found !== undefined, "this machine has no kubectl of its own")(found ?? "kubectl", () => {
  kubectlObjects(() => found ?? "");
  kubectlPods(() => found ?? "");
});
