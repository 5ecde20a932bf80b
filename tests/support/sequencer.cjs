// A Jest sequencer that sorts files by a comparison, and stores nothing between runs.
"use strict";

/** @param compare compares two tests, as for Array.sort */
module.exports.sequencerBy = (compare) =>
  class Sequencer {
    sort(tests) {
      return tests.toSorted(compare);
    }

    shard(tests, { shardIndex, shardCount }) {
      return tests.toSorted((a, b) => (a.path < b.path ? -1 : 1)).filter((_, i) => i % shardCount === shardIndex - 1);
    }

    allFailedTests(tests) {
      return tests;
    }

    cacheResults() {
      // nothing is stored between runs
    }
  };
