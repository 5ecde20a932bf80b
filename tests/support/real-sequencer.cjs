// The order of tests with real programs: the shortest first, so that a run with a time limit (HOMELAB_REAL_UNTIL) runs as many as possible.
// The durations are seconds on two cores. Files that are not listed take less than 20.
"use strict";
const { sequencerBy } = require("./sequencer.cjs");

const SECONDS = {
  "automation/clients": 190,
  "conformance/engine/fuzz": 60,
  "conformance/engine/live": 600,
  "conformance/interchange/plans": 116,
  "conformance/interchange/policies": 50,
  "conformance/interchange/turns": 95,
  "contract/hosts/recorded": 50,
  "contract/kubernetes/beside/plans": 84,
  "contract/kubernetes/beside/programs": 120,
  "contract/kubernetes/beside/releases": 40,
  "contract/kubernetes/beside/types": 48,
  "contract/kubernetes/beside/waits": 314,
  "contract/vault/real": 60,
  "real/applications": 26,
  "real/cli-help": 33,
  "real/cli-lab": 340,
  "real/demo": 33,
  "real/external-dns": 50,
  "real/gitops": 28,
  "real/hosts": 60,
  "real/kubeadm": 300,
  "real/operations": 120,
  "real/platform": 45,
  "real/roles": 300,
  "real/secrets-chain": 180,
};

function secondsOf(file) {
  const name = Object.keys(SECONDS).find((part) => file.replaceAll("\\", "/").endsWith(`/tests/${part}.real.test.ts`));
  return name === undefined ? 20 : SECONDS[name];
}

module.exports = sequencerBy((a, b) => secondsOf(a.path) - secondsOf(b.path) || (a.path < b.path ? -1 : 1));
/** Whether a file that starts now ends before `until` (seconds since 1970), even if it takes half as long again. */
module.exports.endsBy = (file, now, until) => now + 1.5 * secondsOf(file) < until;
