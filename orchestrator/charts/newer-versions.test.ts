import { newerThan, sameForm, type UpgradePath } from "./newer-versions";

const MINOR: UpgradePath = { by: "minor", why: "one at a time" };
const STEPS: UpgradePath = {
  by: "steps",
  steps: [
    { version: "v1.136.0", why: "moves the vectors" },
    { version: "v1.137.3", why: "the one before 2" },
    { version: "v2.6.3", why: "version 2" },
  ],
};

test.each<[string, string, string[], UpgradePath | undefined, unknown]>([
  ["nothing newer", "1.2.3", ["1.2.3", "1.2.2", "0.9.0"], undefined, undefined],
  ["the newest, in whatever order they come", "v1.2.3", ["v1.3.0", "v1.10.0", "v1.2.4"], undefined, { newest: "v1.10.0" }],
  ["prereleases do not count", "1.2.3", ["1.3.0-rc.1", "1.2.4"], undefined, { newest: "1.2.4" }],
  ["they count where the pinned version is one", "1.3.0-rc.1", ["1.3.0-rc.2"], undefined, { newest: "1.3.0-rc.2" }],
  ["what is no version is left out", "1.2.3", ["latest", "nightly", "1.2"], undefined, undefined],
  ["a patch needs no step", "1.9.0", ["1.9.2"], MINOR, { newest: "1.9.2" }],
  [
    "minor by minor: the newest patch of the next",
    "1.9.0",
    ["1.9.2", "1.10.0", "1.10.3", "1.11.1", "1.12.1"],
    MINOR,
    { newest: "1.12.1", next: "1.10.3", why: "one at a time" },
  ],
  ["the next minor is the newest", "1.11.0", ["1.11.4", "1.12.1"], MINOR, { newest: "1.12.1" }],
  ["over a major", "1.12.1", ["2.0.0", "2.1.0"], MINOR, { newest: "2.1.0", next: "2.0.0", why: "one at a time" }],
  ["by steps: the first between", "v1.132.3", ["v1.136.0", "v2.6.3", "v3.0.2"], STEPS, { newest: "v3.0.2", next: "v1.136.0", why: "moves the vectors" }],
  ["past all steps", "v2.6.3", ["v3.0.2"], STEPS, { newest: "v3.0.2" }],
])("%s", (_, pinned, versions, path, expected) => {
  expect(newerThan(pinned, versions, path)).toEqual(expected);
});

test("tags of another form are left out", () => {
  const tags = ["17.6-standard-bookworm", "18.1-standard-bookworm", "18.1-minimal-bookworm", "18.1", "latest", "17.6-standard-trixie"];
  const alike = sameForm("17.6-standard-bookworm", tags);
  expect([alike?.pinned, [...(alike?.versions ?? [])]]).toEqual([
    "17.6.0",
    [
      ["17.6.0", "17.6-standard-bookworm"],
      ["18.1.0", "18.1-standard-bookworm"],
    ],
  ]);
  expect(sameForm("RELEASE.2025-09-07T16-13-09Z", tags)).toBeUndefined();
});
