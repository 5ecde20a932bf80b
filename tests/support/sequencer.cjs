// A sequencer of Jest that orders files by a comparison, and keeps nothing between runs.
"use strict";

/** @param compare two tests, as Array.sort wants it */
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
      // nothing is kept between runs
    }
  };
