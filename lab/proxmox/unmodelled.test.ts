import { ProxmoxLab } from "../../tests/support/proxmox-lab";
import { ROUTES } from "./api";

let lab: ProxmoxLab;
beforeAll(async () => {
  lab = await ProxmoxLab.start();
  await lab.call("POST", "/pools", { poolid: "p" });
  await lab.task("POST", "/nodes/node03/qemu", { vmid: "100", name: "a", scsi0: "local-lvm:8" });
});
afterAll(() => lab.stop());

const PARTS: Record<string, string> = { node: "node03", vmid: "100", storage: "local", iface: "vmbr0", poolid: "p", upid: "x", sid: "vm:100", volume: "x" };
const pathOf = (pattern: RegExp, names: readonly string[]): string => {
  let at = 0;
  return pattern.source
    .slice(1, -1)
    .replaceAll("\\/", "/")
    .replace(/\(\[\^\\?\/\]\+\)/g, () => PARTS[names[at++] ?? ""] ?? "x");
};

test.each(ROUTES.map((route) => [`${route.method} ${pathOf(route.pattern, route.names)}`, route] as const))(
  "%s refuses a parameter that the lab does not model, and it is noted",
  async (line, { method, pattern, names }) => {
    const before = lab.ctx.unhandled.all().length;
    const needed: Record<string, Record<string, string>> = {
      "POST /storage": { storage: "s1", type: "dir" },
      "POST /nodes/node03/network": { iface: "vmbr5", type: "bridge" },
      "PUT /nodes/node03/network/vmbr0": { type: "bridge" },
    };
    const form = { ...needed[line], "no-such-parameter": "1" };
    const answer = await lab.call(method as "GET" | "POST" | "PUT" | "DELETE", pathOf(pattern, names), form);
    expect([line, answer.status, answer.errors]).toEqual([
      line,
      400,
      { "no-such-parameter": "property is not defined in schema and the schema does not allow additional properties" },
    ]);
    expect(lab.ctx.unhandled.all()).toHaveLength(before + 1);
  },
);

test.each([
  ["bios", "uefi"],
  ["ostype", "linux"],
  ["scsihw", "virtio"],
  ["citype", "cloud-init"],
  ["onboot", "7"],
  ["cores", "two"],
])("%s=%s is no value of the schema", async (name, value) => {
  const before = await lab.call("GET", "/nodes/node03/qemu/100/config");
  const answer = await lab.call("PUT", "/nodes/node03/qemu/100/config", { [name]: value });
  expect([answer.status, Object.keys(answer.errors ?? {})]).toEqual([400, [name]]);
  expect(await lab.call("GET", "/nodes/node03/qemu/100/config")).toEqual(before);
});

test("a clone becomes a member of the pool that it names, and a pool that is not there stops it", async () => {
  const clone = (form: Record<string, string>) => lab.call("POST", "/nodes/node03/qemu/100/clone", form);
  expect(await clone({ newid: "101", full: "1", pool: "none" })).toMatchObject({ status: 500, reason: "no such pool 'none'" });
  expect(await lab.task("POST", "/nodes/node03/qemu/100/clone", { newid: "102", full: "1", pool: "p" })).toBe("OK");
  expect(lab.proxmox.state().pools).toEqual([{ poolid: "p", members: [102] }]);
  for (const name of ["snapname", "format", "bwlimit"]) expect((await clone({ newid: "103", full: "1", [name]: "qcow2" })).status).toBe(400);
});
