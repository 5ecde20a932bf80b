/** How tests start servers, with small programs as servers: one dies, does not start, never gets ready, or finds its port taken. */
import * as fs from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { isProcessAlive } from "../../common/processes";
import { onFreePorts, startProcess, stopAll, untilReady } from "../support/real-process";
import { startRealVault } from "../support/real-vault";

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "real servers "));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const node = (name: string, script: string) => startProcess(name, process.execPath, ["-e", script], { folder });
const untilEnded = async (pid: number): Promise<void> => {
  while (isProcessAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
};
const STAYS = "setInterval(() => undefined, 1000);";

test("a server is ended by its id, and has no more of the owner's environment than PATH", async () => {
  process.env["VAULT_TOKEN"] = "of the owner";
  const server = await node("stays", `console.log(JSON.stringify(Object.keys(process.env).sort())); ${STAYS}`);
  await untilReady(server, "it has spoken", async () => server.log() !== "");
  delete process.env["VAULT_TOKEN"];
  expect(JSON.parse(server.log())).toEqual(["HOME", "PATH"]);
  await server.stop();
  expect(isProcessAlive(server.pid)).toBe(false);
});

test("one that dies in the middle is named with how and its last words, and the others are ended all the same", async () => {
  const [dies, stays] = [await node("dies", 'console.error("panic: out of luck"); process.exit(3);'), await node("stays", STAYS)];
  await untilEnded(dies.pid);
  const why = `dies (${process.execPath}) ended by itself with exit code 3: panic: out of luck\n`;
  expect(() => dies.check()).toThrow(why);
  await expect(stopAll([dies, stays])).rejects.toThrow(why);
  expect(isProcessAlive(stays.pid)).toBe(false);
});

test("one that is killed by somebody else is named with the signal", async () => {
  const server = await node("killed", STAYS);
  process.kill(server.pid, "SIGTERM");
  await untilEnded(server.pid);
  await expect(server.stop()).rejects.toThrow("ended by itself with SIGTERM");
});

test("while a server is waited for, its end is the answer, at once", async () => {
  const server = await node("short", 'console.error("no such flag: --x"); process.exit(1);');
  await expect(untilReady(server, "it listens", async () => false)).rejects.toThrow(/^short .* ended by itself with exit code 1: no such flag: --x/);
});

test("a file that is no program is named with the cause", async () => {
  const file = path.join(folder, "program");
  fs.writeFileSync(file, "\u007fELF and no more", { mode: 0o755 });
  // On Linux `setpriv` starts and then cannot execute the file, so the process ends at once. Elsewhere the start itself fails.
  const started = startProcess("broken", file, [], { folder }).then((server) => untilReady(server, "it listens", async () => false));
  await expect(started).rejects.toThrow(/broken.*(does not start|ended by itself)/);
});

describe("a port that is taken", () => {
  let other: Server;
  let taken: number;
  beforeEach(async () => {
    other = createServer((_, answer) => answer.end("of another"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    taken = (other.address() as AddressInfo).port;
  });
  afterEach(() => {
    other.closeAllConnections();
    return new Promise((resolve) => other.close(resolve));
  });
  const listenOn = (port: number) => node(`on-${port}`, `require("http").createServer((_, answer) => answer.end("mine")).listen(${port}, "127.0.0.1")`);
  const start = async (port: number) => {
    const server = await listenOn(port);
    await untilReady(server, "it answers", async () => (await (await fetch(`http://127.0.0.1:${port}`)).text()) === "mine");
    return server;
  };

  test("a port that is taken between the search and the start: the server is started on another one", async () => {
    const tried: number[] = [];
    const server = await onFreePorts(1, ([port]) => {
      tried.push(port as number);
      return start(tried.length < 3 ? taken : (port as number));
    });
    expect([tried.length, new Set(tried).size]).toEqual([3, 3]);
    await server.stop();
  });

  test("each time: the server's own words are the error", async () => {
    await expect(onFreePorts(1, () => start(taken))).rejects.toThrow(/ended by itself with exit code 1: [\s\S]*EADDRINUSE/);
  });

  test("another failure is not tried again", async () => {
    let tries = 0;
    const fails = onFreePorts(2, async () => {
      tries += 1;
      throw new Error("no certificate");
    });
    await expect(fails).rejects.toThrow("no certificate");
    expect(tries).toBe(1);
  });
});

test("a Vault that does not start leaves neither a process nor a folder, and says what it said", async () => {
  const program = path.join(folder, "vault");
  fs.writeFileSync(program, '#!/bin/sh\necho "Error initializing storage of type file" >&2\nexit 1\n', { mode: 0o755 });
  const left = () => fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith("homelab-real-vault-"));
  const before = left();
  await expect(startRealVault(program)).rejects.toThrow(/^vault .* ended by itself with exit code 1: Error initializing storage of type file/);
  expect(left()).toEqual(before);
});
