// The order of tests with real programs: the shortest first, so that a run whose time ends (HOMELAB_REAL_UNTIL) has asked the most.
// Seconds alone on two idle cores; what is not listed takes less than 30.
"use strict";
const { sequencerBy } = require("./sequencer.cjs");

const SECONDS = {
  "automation/clients": 190,
  "conformance/engine/fuzz": 60,
  "conformance/engine/live": 600,
  "conformance/interchange/plans": 116,
  "conformance/interchange/policies": 50,
  "contract/hosts/recorded": 50,
  "contract/kubernetes/beside/plans": 84,
  "contract/kubernetes/beside/releases": 40,
  "contract/kubernetes/beside/types": 48,
  "contract/kubernetes/beside/waits": 314,
  "contract/vault/real": 60,
  "real/cli-lab": 236,
  "real/external-dns": 34,
  "real/hosts": 60,
  "real/kubeadm": 300,
  "real/operations": 120,
  "real/roles": 300,
  "real/secrets-chain": 120,
};

function secondsOf(file) {
  const name = Object.keys(SECONDS).find((part) => file.replaceAll("\\", "/").endsWith(`/tests/${part}.real.test.ts`));
  return name === undefined ? 20 : SECONDS[name];
}

module.exports = sequencerBy((a, b) => secondsOf(a.path) - secondsOf(b.path) || (a.path < b.path ? -1 : 1));
