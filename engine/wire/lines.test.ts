import * as fc from "fast-check";
import { byLine } from "./lines";

test("lines are the same however the bytes come: a character, and a secret, may be cut in two", () => {
  void fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), fc.array(fc.nat({ max: 60 })), (text, cuts) => {
      const whole = `${text.replaceAll("\r", "")}\n zwölf ✓ 🎉 s3cr3t`;
      const bytes = Buffer.from(whole);
      const lines: string[] = [];
      const sink = byLine((line) => lines.push(line));
      const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      for (const [index, from] of places.slice(0, -1).entries()) sink.push(bytes.subarray(from, places[index + 1]));
      sink.end();
      expect(lines.join("\n")).toBe(bytes.toString("utf8"));
    }),
  );
});
