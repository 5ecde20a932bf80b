/** A client of a line-based protocol over TCP. Received text is kept until until() is called. */
import * as net from "node:net";

const LIMIT_MS = 10_000;

export interface LineClient {
  send(text: string): void;
  /** Waits for a match and removes the text up to it. @returns that text @throws if there is no match in time, with the received text */
  until(what: RegExp): Promise<string>;
  close(): void;
}

export async function connectLines(port: number): Promise<LineClient> {
  let text = "";
  let wake: () => void = () => undefined;
  let ended = false;
  const socket = net.connect(port, "127.0.0.1");
  socket.setEncoding("utf8");
  socket.on("data", (part: string) => {
    text += part;
    wake();
  });
  // A server that refuses closes the connection. The text that it sent before can still be read.
  for (const event of ["error", "close"]) {
    socket.on(event, () => {
      ended = true;
      wake();
    });
  }
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return {
    send: (line) => {
      socket.write(line);
    },
    until: async (what) => {
      for (const deadline = Date.now() + LIMIT_MS; ; ) {
        const found = what.exec(text);
        if (found !== null) {
          const taken = text.slice(0, found.index + found[0].length);
          text = text.slice(taken.length);
          return taken;
        }
        if (ended || Date.now() > deadline) throw new Error(`${what} did not come; what came: ${JSON.stringify(text)}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, 100).unref();
        });
      }
    },
    close: () => {
      socket.destroy();
    },
  };
}
