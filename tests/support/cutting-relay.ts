/** A relay on loopback before a server of a test, which loses an answer: what was asked has been done, and nobody hears of it. */
import * as net from "node:net";

/** `page` and `gateway`: what stands on the way answers in place of the server, by 200 and by 502 (HTTP without TLS alone). */
export type Loss = "cut" | "silence" | "page" | "gateway";

const PAGE = "<html>this is not the answer</html>";
const pageOf = (how: Loss): string =>
  `HTTP/1.1 ${how === "page" ? "200 OK" : "502 Bad Gateway"}\r\ncontent-type: text/html\r\ncontent-length: ${PAGE.length}\r\nconnection: close\r\n\r\n${PAGE}`;

export interface CuttingRelay {
  port: number;
  /**
   * Lets so many pieces of answers pass from now on; with the next one all connections are cut, or its own stays open in silence.
   * Connections that are made afterwards work.
   */
  loseAnswer(after: number, how: Loss): void;
  /** Cuts all connections at each answer, until it is calm again. */
  loseAll(): void;
  /** Whether an answer was lost since. */
  lost(): boolean;
  /** Loses nothing any more. */
  calm(): void;
  close(): Promise<void>;
}

export async function startCuttingRelay(target: number): Promise<CuttingRelay> {
  const open = new Set<net.Socket>();
  let armed: { left: number; how: Loss; always?: boolean } | undefined;
  const server = net.createServer({ noDelay: true }, (inner) => {
    const outer = net.connect({ port: target, host: "127.0.0.1", noDelay: true });
    let silent = false;
    for (const socket of [inner, outer]) {
      open.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        open.delete(socket);
        inner.destroy();
        outer.destroy();
      });
    }
    inner.pipe(outer);
    outer.on("data", (chunk: Buffer) => {
      if (armed !== undefined && armed.left-- <= 0) {
        const { how, always = false } = armed;
        if (!always) armed = undefined;
        if (how === "cut") for (const socket of open) socket.destroy();
        if ((how === "page" || how === "gateway") && !silent) inner.end(pageOf(how));
        silent = true;
      }
      if (!silent && !inner.destroyed) inner.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    loseAnswer: (left, how) => {
      armed = { left, how };
    },
    loseAll: () => {
      armed = { left: 0, how: "cut", always: true };
    },
    lost: () => armed === undefined,
    calm: () => {
      armed = undefined;
    },
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
