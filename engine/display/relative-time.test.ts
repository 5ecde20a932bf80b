import { ago, duration } from "./relative-time";

test.each([
  [0, "now"],
  [1, "1 second ago"],
  [59, "59 seconds ago"],
  [60, "1 minute ago"],
  [119, "1 minute ago"],
  [3_600, "1 hour ago"],
  [2 * 86_400, "2 days ago"],
  [8 * 86_400, "1 week ago"],
  [31 * 86_400, "1 month ago"],
  [800 * 86_400, "2 years ago"],
])("%d seconds are %s", (seconds, text) => {
  expect(ago(0, seconds * 1000 + 300)).toBe(text);
});

test.each([
  [0, "0s"],
  [65, "1m5s"],
  [3_603, "1h0m3s"],
])("%d seconds take %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
