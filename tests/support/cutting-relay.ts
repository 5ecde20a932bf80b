/** A relay on loopback before a server of a test, which loses an answer: what was asked has been done, and nobody hears of it. */
import * as net from "node:net";

export interface CuttingRelay {
  port: number;
  /**
   * Lets so many pieces of answers pass from now on; with the next one all connections are cut, or its own stays open in silence.
   * Connections that are made afterwards work.
   */
  loseAnswer(after: number, how: "cut" | "silence"): void;
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
  let armed: { left: number; how: "cut" | "silence"; always?: boolean } | undefined;
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
