// How long parts may take. Estimates in real-parts.json are minutes on two idle cores with nothing cached, in the order of the list.
"use strict";

const MINUTE = 60_000;

/** HOMELAB_REAL_BUDGET as milliseconds; undefined where it is not set. */
function budgetFrom(text) {
  if (text === undefined || text === "") return undefined;
  const minutes = Number(text);
  if (!Number.isFinite(minutes) || minutes <= 0) throw new Error(`HOMELAB_REAL_BUDGET is ${JSON.stringify(text)}; it must be a number of minutes above 0`);
  return minutes * MINUTE;
}

/** How this machine compares with the estimates: twice as slow is 2. Learned from what was built in this run. */
class Pace {
  #estimatedMs = 0;
  #tookMs = 0;

  learn(minutes, tookMs) {
    this.#estimatedMs += minutes * MINUTE;
    this.#tookMs += tookMs;
  }

  /** Milliseconds that a part will probably take here. */
  expect(minutes) {
    const pace = this.#estimatedMs === 0 ? 1 : this.#tookMs / this.#estimatedMs;
    return minutes * MINUTE * Math.min(4, Math.max(0.25, pace));
  }
}

const about = (ms) => (ms < MINUTE ? "less than a minute" : `about ${Math.round(ms / MINUTE)} min`);

/** Undefined where a part fits what is left, else why not. */
function tooLong(expectedMs, leftMs, budgetMs) {
  if (budgetMs === undefined || expectedMs <= leftMs) return undefined;
  const left = Math.max(0, Math.floor(leftMs / MINUTE));
  return `it takes ${about(expectedMs)} and ${left} of HOMELAB_REAL_BUDGET=${budgetMs / MINUTE} min were left; the next make real-parts builds it`;
}

module.exports = { budgetFrom, Pace, about, tooLong };
