// How long tests may take after a change before it counts as one that makes them loop.
"use strict";

/** A busy machine may be this many times slower than it was while nothing was changed. */
const SLOWER = 4;

/**
 * @param least seconds
 * @param unchanged seconds that each of the tests took before anything was changed
 */
const secondsFor = (least, unchanged) => Math.max(least, SLOWER * unchanged.reduce((sum, each) => sum + each, 0));

module.exports = { secondsFor };
