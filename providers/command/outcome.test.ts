import type { CallContext } from "../sdk/resource";
import { OutputCollector } from "./outcome";

test("a character that comes in two pieces is shown as it is", () => {
  const shown: string[] = [];
  const output = new OutputCollector({ log: (_: string, line: string) => shown.push(line) } as unknown as CallContext);
  const bytes = Buffer.from("prüfe 🚀\n");
  for (const byte of bytes) output.take("stdout", Buffer.from([byte]));
  expect([shown, output.text("stdout")]).toEqual([["prüfe 🚀"], "prüfe 🚀"]);
});
