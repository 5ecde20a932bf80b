/** What differs between releases by our Kubernetes provider and by the official one, and why. */
import type { KnownDifference } from "./known";

const suites: KnownDifference["suites"] = ["releases"];

export const KNOWN_RELEASES: readonly KnownDifference[] = [
  {
    suites,
    where: /\.repositoryOpts$/,
    reason: "theirs writes the empty options of a repository where one of them is given, ours always: states of both have no difference by it",
    holds: (ours, theirs) => JSON.stringify(ours) === '{"caFile":"","certFile":"","keyFile":"","password":"","repo":"","username":""}' && theirs === undefined,
  },
  {
    suites,
    where: /\.version$/,
    reason: "theirs looks the chart up when it checks, and notes its version; ours has the version that the program gave, or none",
  },
  {
    suites,
    where: /\| diff of another chart and values \| diffs/,
    reason: "so a chart in a folder has one property more that changed",
  },
  {
    suites,
    where: /\| preview of (create|update) \| outputs\.__inputs(\.|$)/,
    reason: "the inputs beside the outputs are written when they have been applied, theirs in a preview too",
  },
  {
    suites,
    where: /\| deleteBeforeReplace$/,
    reason: "of a release whose name stays, ours removes the old one first; theirs would install over it",
    holds: (ours, theirs) => ours === true && theirs === false,
  },
  {
    suites,
    where: /^the life of a release \| .*\.values\.nested\.a$|^a release (that takes a default away|whose null is none) \| .*\.values\.optional$/,
    reason: "theirs loses every null on its way in, and so a default is never taken away; ours keeps those of chart values",
  },
  {
    suites,
    where: /^a release that takes a default away \| objects \| data\.optional$/,
    reason: "the same, in the cluster: the default is gone with ours",
    holds: (ours, theirs) => ours === undefined && theirs === "given",
  },
  {
    suites,
    where: /^a release with unknown values \| .*\.values\.greeting$/,
    reason: "theirs leaves out what is not known, ours says that it is unknown",
    holds: (ours, theirs) => ours === "<unknown>" && theirs === undefined,
  },
  {
    suites,
    where: /^a release with a secret value \| .*\.__inputs\.\$secret\.values\.greeting$/,
    reason: "the whole is secret; theirs marks the part in it once more",
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
    reason: "what is gone is deleted for ours; theirs fails",
    holds: (ours, theirs) => ours === "<none>" && theirs === "<fails>",
  },
  {
    suites,
    where: /^a chart that is not there \| check \| failures/,
    reason: "theirs looks a chart up when it checks, ours when it is installed: a preview needs no repository",
  },
  {
    suites,
    where: /^a misspelt input \| check \| (failures|inputs\.vaules)/,
    reason: "ours refuses what it does not know by its name, theirs drops it",
  },
];
