/** What differs between releases by our Kubernetes provider ("ours") and by the official one ("theirs"), and why. */
import type { KnownDifference } from "./known";

const suites: KnownDifference["suites"] = ["releases"];

export const KNOWN_RELEASES: readonly KnownDifference[] = [
  {
    suites,
    where: /\.repositoryOpts$/,
    reason: "ours always writes all repository options, empty where not given; theirs only if one is given. Neither engine shows a change for it",
    holds: (ours, theirs) => JSON.stringify(ours) === '{"caFile":"","certFile":"","keyFile":"","password":"","repo":"","username":""}' && theirs === undefined,
  },
  {
    suites,
    where: /\.version$/,
    reason: "theirs looks the chart up in Check and records its version; ours records the version that the program gave, or none",
  },
  {
    suites,
    where: /\| diff of another chart and values \| diffs/,
    reason: "since ours records only the version that the program gave, the version of a chart in a folder is no property that changes",
  },
  {
    suites,
    where: /\| preview of (create|update) \| outputs\.__inputs(\.|$)/,
    reason: "ours writes `__inputs` only after they were applied; theirs writes them in a preview too",
  },
  {
    suites,
    where: /\| deleteBeforeReplace$/,
    reason: "where a replaced release keeps its name, ours deletes the old one first; theirs would install over it",
    holds: (ours, theirs) => ours === true && theirs === false,
  },
  {
    suites,
    where: /^the life of a release \| .*\.values\.nested\.a$|^a release (that takes a default away|whose null is none) \| .*\.values\.optional$/,
    reason: "theirs drops every null in its inputs, so that a null cannot remove a chart's default; ours keeps nulls in chart values",
  },
  {
    suites,
    where: /^a release that takes a default away \| objects \| data\.optional$/,
    reason: "the same, seen in the cluster: with ours the null has removed the chart's default",
    holds: (ours, theirs) => ours === undefined && theirs === "given",
  },
  {
    suites,
    where: /^a release with unknown values \| .*\.values\.greeting$/,
    reason: "theirs leaves out an unknown value; ours returns it as unknown",
    holds: (ours, theirs) => ours === "<unknown>" && theirs === undefined,
  },
  {
    suites,
    where: /^a release with a secret value \| .*\.__inputs\.\$secret\.values\.greeting$/,
    reason: "both mark the whole as secret; theirs marks the part inside it once more",
  },
  {
    suites,
    where: /^the life of a release \| import \| .*timeout$/,
    reason: "ours has the default of five minutes, theirs none",
    holds: (ours, theirs) => ours === 300 && theirs === 0,
  },
  {
    suites,
    where: /^the life of a release \| delete again \| $/,
    reason: "deleting a release that does not exist succeeds with ours, and fails with theirs",
    holds: (ours, theirs) => ours === "<none>" && theirs === "<fails>",
  },
  {
    suites,
    where: /^a chart that is not there \| check \| failures/,
    reason: "theirs looks a chart up in Check; ours when it is installed, so that a preview needs no repository",
  },
  {
    suites,
    where: /^a misspelt input \| check \| (failures|inputs\.vaules)/,
    reason: "ours refuses an unknown input and names it; theirs drops it",
  },
];
