/** A relay on loopback before a server of a test. It loses an answer, so that the client does not learn that its request was done. */
import * as net from "node:net";

/** With `page` and `gateway`, the relay answers in place of the server, with 200 and with 502. Only for HTTP without TLS. */
export type Loss = "cut" | "silence" | "page" | "gateway";

const PAGE = "<html>this is not the answer</html>";
const pageOf = (how: Loss): string =>
  `HTTP/1.1 ${how === "page" ? "200 OK" : "502 Bad Gateway"}\r\ncontent-type: text/html\r\ncontent-length: ${PAGE.length}\r\nconnection: close\r\n\r\n${PAGE}`;

export interface CuttingRelay {
  port: number;
  /**
   * Lets `after` pieces of answers pass from now on. With the next piece, all connections are cut, or its own stays open without an answer.
   * Later connections work.
   */
  loseAnswer(after: number, how: Loss): void;
  /** Cuts all connections at each answer, until it is calm again. */
  loseAll(): void;
  /** Whether an answer was lost since the last call of loseAnswer. */
  lost(): boolean;
  /** Stops losing answers. */
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
