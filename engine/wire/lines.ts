import { StringDecoder } from "node:string_decoder";

/** Text that comes in pieces, as whole lines: a character and a line may each be cut by the pieces. */
export interface Lines {
  push(piece: Buffer): void;
  /** Passes on the rest as the last line. */
  end(): void;
}

export function byLine(onLine: (line: string) => void): Lines {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const take = (text: string): void => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  };
  return {
    push: (piece) => take(decoder.write(piece)),
    end: () => {
      take(decoder.end());
      if (rest !== "") onLine(rest);
      rest = "";
    },
  };
}
