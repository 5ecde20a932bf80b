/** What is asked of a homelab and what is not, with servers of the test in place of the homelab's. */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { loadEstate } from "./load/estate";
import { probe } from "./probe";

const servers: http.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
/** @returns its address, with the slash at its end */
async function answering(text: string): Promise<string> {
  const server = http.createServer((_, response) => response.end(text));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const estate = loadEstate();

/** @param more of the request; no stack is built, so no name and no route of the site is asked for */
async function asked(more: object, secretOf: (at: { path: string; key: string }) => Promise<string> = async ({ key }) => key) {
  const proxmoxEndpoint = await answering("<html>");
  const parts = { estate: { ...estate, site: { ...estate.site, proxmoxEndpoint, nameserver: "127.0.0.1" } }, secretOf, bastion: () => undefined, now: () => 0 };
  return probe(JSON.stringify({ stacks: [], hosts: [], ...more }), parts);
}
const HOST = { name: "box", stack: "dev", port: 1, host: { address: "127.0.0.1", user: "ops", node: "pve", hostKey: "", running: true, groups: [] } };

test("where nothing is built, Proxmox and its certificate alone are asked about", async () => {
  const { version, findings } = await asked({});
  expect([version, findings.map(({ name, verdict }) => [name, verdict])]).toEqual([
    1,
    [
      ["proxmox", "wrong"],
      ["certificate of 127.0.0.1", "wrong"],
    ],
  ]);
});

test.each([
  ['{"initialized":true,"sealed":false,"version":"1.21.4"}', "ok", /^1\.21\.4 at .* is unsealed$/, undefined],
  ["<html>", "wrong", /is not Vault/, "look at the pod of Vault, and at the route to it"],
])("a Vault that is built is asked: %s is %s", async (text, verdict, says, next) => {
  const { findings } = await asked({ vaultAddress: await answering(text) });
  expect(findings.slice(2)).toEqual([{ name: "vault", verdict, says: expect.stringMatching(says), ...(next === undefined ? {} : { next }) }]);
});

test("each host that is built is asked, and one that does not answer keeps nobody from the rest", async () => {
  const { findings } = await asked({ hosts: [HOST, { ...HOST, name: "chest" }] });
  expect(findings.slice(2).map(({ name, verdict }) => [name, verdict])).toEqual([
    ["host box", "wrong"],
    ["host chest", "wrong"],
  ]);
});

test("a secret that is not there is what is found of Proxmox and of the hosts, and Vault is asked all the same", async () => {
  const vaultAddress = await answering('{"initialized":true,"sealed":true}');
  const { findings } = await asked({ hosts: [HOST], vaultAddress }, () => Promise.reject(new Error("there is none")));
  expect(findings.map(({ name, says }) => [name, says])).toEqual([
    ["proxmox", "there is none"],
    ["certificate of 127.0.0.1", expect.any(String)],
    ["hosts", "there is none"],
    ["vault", `${vaultAddress} is sealed`],
  ]);
});
