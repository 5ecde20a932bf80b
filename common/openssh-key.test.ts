import { publicHalfOf } from "./openssh-key";
import { newSshKey } from "./ssh-key";

test("the public half of a key, also of one that is encrypted", () => {
  for (const pair of [newSshKey("a b"), newSshKey("", "passphrase")]) expect(pair.public.startsWith(publicHalfOf(pair.private) ?? "-")).toBe(true);
});

test("text that is no key, or is cut off, has none", () => {
  const { private: key } = newSshKey();
  const lines = key.trim().split("\n");
  for (const text of ["", "a key", lines.slice(0, 2).join("\n"), [lines[0], "b3BlbnNzaC1rZXktdjEAAAAA", lines.at(-1)].join("\n")])
    expect(publicHalfOf(text)).toBeUndefined();
});
