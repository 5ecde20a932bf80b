import { splitNodeArgs } from "./node-args";

test.each([
  ["--max-old-space-size=512  --cpu-prof", ["--max-old-space-size=512", "--cpu-prof"]],
  [`--require "./with blank.js" --title='a "b"'`, ["--require", "./with blank.js", '--title=a "b"']],
  [String.raw`--require ./with\ blank.js "a\"b\n" 'c\d' ""`, ["--require", "./with blank.js", String.raw`a"b\n`, String.raw`c\d`, ""]],
  ["", []],
])("%s", (text, words) => {
  expect(splitNodeArgs(text)).toEqual(words);
});

test("a quote that is not closed is refused", () => {
  expect(() => splitNodeArgs("--title='a")).toThrow("has a quote (') that is not closed");
});
