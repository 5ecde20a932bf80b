import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { Rehearsal } from "../support/rehearsal";

jest.setTimeout(120_000);

let rehearsal: Rehearsal;
beforeAll(() => {
  rehearsal = new Rehearsal();
});
afterAll(() => rehearsal.close());

const listen = (port: number): Promise<net.Server> =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.listen(port, "127.0.0.1", () => resolve(server));
  });

interface Ports {
  proxy: number;
  bastion: number;
  control: number;
}

test("a lab that starts again has the ports that it had; those in use are named all at once", async () => {
  await rehearsal.startLab();
  const file = path.join(rehearsal.dir, "ports.json");
  const before = JSON.parse(fs.readFileSync(file, "utf8")) as Ports;
  expect((await rehearsal.homelab("lab", "stop")).code).toBe(0);

  const taken = [await listen(before.proxy), await listen(before.bastion)];
  const { code, stdout, stderr } = await rehearsal.homelab("lab", "start", "--latency", "zero");
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toBe(`error: in use by other programs: port ${before.proxy} (proxy), port ${before.bastion} (bastion)
  next: end what uses them, or give others: --proxy-port N --bastion-port N (0: any that is free). A lab in which something is built needs its bastion's port again
`);
  for (const server of taken) await new Promise((resolve) => server.close(resolve));

  expect((await rehearsal.homelab("lab", "start", "--latency", "zero")).code).toBe(0);
  expect(JSON.parse(fs.readFileSync(file, "utf8"))).toEqual(before);
});

test("a lab that is up runs the code that it was started with, and a further start says when that is older", async () => {
  const start = () => rehearsal.homelab("lab", "start", "--latency", "zero");
  const again = await start();
  expect([again.code, again.stdout, again.stderr]).toEqual([0, expect.stringContaining("is running already"), ""]);
  fs.utimesSync(path.join(rehearsal.checkout, "bin/lab/main.js"), new Date(), new Date());
  expect((await start()).stderr).toBe("note: the lab was started before its code changed; to run the new code, stop and start it (its state is kept)\n");
});

test("an invalid port is refused with the name of its flag", async () => {
  await rehearsal.homelab("lab", "stop");
  const { code, stderr } = await rehearsal.homelab("lab", "start", "--proxy-port", "99999");
  expect([code, stderr]).toEqual([2, "error: --proxy-port takes a port (0: any that is free), not 99999\n"]);
});
