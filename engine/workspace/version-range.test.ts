import { parseRange } from "./version-range";

// As Go's blang/semver, whose ranges the CLI takes, answers.
test.each([
  [">=3.0.0", "3.260.0", true],
  [">= 3.0.0", "3.260.0", true],
  [">=3.261.0", "3.260.0", false],
  ["!3.260.0", "3.260.0", false],
  ["!=3.1.2", "3.260.0", true],
  [">=3.5.0 !3.7.7", "3.7.7", false],
  [">=3.5.0 !3.7.7", "3.260.0", true],
  ["<3.4.0 || >3.8.0", "3.260.0", true],
  ["<3.4.0 || >3.8.0", "3.5.0", false],
  ["3.260.0", "3.260.0", true],
  ["=3.260.0", "3.260.1", false],
  ["==3.260.0", "3.260.0", true],
  ["3.x", "3.260.0", true],
  ["3.x.x", "4.0.0", false],
  [">3.x", "3.260.0", false],
  [">=3.260.x", "3.260.0", true],
  ["<3.260.x", "3.260.5", false],
  ["<=3.260.x", "3.260.5", true],
  ["!3.260.x", "3.260.5", false],
  // A pre-release counts by its order alone, unlike in npm.
  [">=3.259.0", "3.260.0-alpha.1", true],
  [">=3.260.0", "3.260.0-alpha.1", false],
  ["=3.260.0+build", "v3.260.0", true],
])("%j and %s: %s", (range, version, holds) => {
  expect(parseRange(range)(version)).toBe(holds);
});

test.each(["^3.0.0", "~3.1.0", "3.0.0 - 3.9.9", "latest", ">=3", ">=", "3.0.0 ||", "=>3.0.0", ">=v3.0.0"])("%j is no range, and is named", (range) => {
  expect(() => parseRange(range)).toThrow(`parsing CLI version range "${range}": "`);
});
