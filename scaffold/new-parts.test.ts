import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { answersOf } from "./answers";
import { layOut } from "./layout";
import { newStack, newVm } from "./new-parts";
import { siteFiles } from "./site-files";
import { writeNew } from "./write";

let root: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "new-stack-"));
  const answers = answersOf({ domain: "example.org", network: "10.20.0.0/27", node: "pve=10.20.0.13", stacks: "tools,dev,devices" });
  writeNew([...siteFiles(answers, layOut(answers), "ssh-ed25519 AAAA")].map(([name, text]) => ({ file: path.join(root, name), text })));
});
afterEach(() => fs.rmSync(root, { recursive: true }));

const read = (name: string): string => fs.readFileSync(path.join(root, name), "utf8");

test("a stack like another one: its entry behind the others, a VM at the next free address, its settings", () => {
  const before = read("site/stacks.ts");
  fs.appendFileSync(path.join(root, "Pulumi.dev.yaml"), "encryptionsalt: v1:x\n");
  expect(newStack(root, "stg-2", "dev")).toEqual(["site/stacks.ts", "Pulumi.stg-2.yaml", "site/vms/k8s-stg-2.yaml", "site/tests/stack-stg-2.test.ts"]);
  expect(read("site/tests/stack-stg-2.test.ts")).toContain('expect(plan?.vms.map((vm) => vm.name)).toEqual(["k8s-stg-2"]);');
  const after = read("site/stacks.ts");
  expect(after.slice(0, before.lastIndexOf("});"))).toBe(before.slice(0, before.lastIndexOf("});")));
  expect(after.slice(before.lastIndexOf("});"))).toBe(`  "stg-2": {
    description: "applications of stg-2",
    needs: ["tools"],
    vms: { "k8s-stg-2": "cluster" },
    platform: cluster,
    apps: { whoami: whoami("stg-2.whoami") },
  },
});
`);
  // .11 is tools, .12 dev, .13 the node, .14 devices.
  expect(read("site/vms/k8s-stg-2.yaml")).toBe(read("site/vms/k8s-dev.yaml").replace("k8s-dev", "k8s-stg-2").replace("10.20.0.12/", "10.20.0.15/"));
  expect(read("Pulumi.stg-2.yaml")).toBe(read("Pulumi.dev.yaml").replace("encryptionsalt: v1:x\n", ""));
});

test.each<[name: string, like: string, said: string]>([
  ["Stg", "dev", '"Stg" is no name for a stack'],
  ["stg", "dew", 'site/stacks.ts has no stack "dew"'],
  ["dev", "devices", 'site/stacks.ts has a stack "dev" already'],
  ["more", "tools", '"tools" prepares the Proxmox nodes, which only one stack may do'],
])("%s like %s is refused, and nothing is written", (name, like, said) => {
  const before = read("site/stacks.ts");
  expect(() => newStack(root, name, like)).toThrow(said);
  expect([read("site/stacks.ts"), fs.existsSync(path.join(root, `Pulumi.${name}.yaml`))]).toEqual([before, name === "dev"]);
});

test("what stands above the stacks is none, whatever its form", () => {
  const text = read("site/stacks.ts");
  const at = text.indexOf("export const");
  fs.writeFileSync(path.join(root, "site/stacks.ts"), `${text.slice(0, at)}const storage = {\n  users: {\n    reader: {},\n  },\n};\n\n${text.slice(at)}`);
  expect(() => newStack(root, "stg", "users")).toThrow(
    expect.objectContaining({ message: 'site/stacks.ts has no stack "users"', hint: "it has: tools, dev, devices" }),
  );
  expect(() => newVm(root, "build", "users", "k8s-dev")).toThrow('site/stacks.ts has no stack "users"');
});

test("files of an earlier stack of the name are not overwritten", () => {
  fs.writeFileSync(path.join(root, "Pulumi.stg.yaml"), "mine");
  const before = read("site/stacks.ts");
  expect(() => newStack(root, "stg", "dev")).toThrow("Pulumi.stg.yaml already exists, and nothing is overwritten");
  expect([read("site/stacks.ts"), fs.existsSync(path.join(root, "site/vms/k8s-stg.yaml"))]).toEqual([before, false]);
});

test("a network without room says so", () => {
  for (let n = 15; n < 31; n++) fs.writeFileSync(path.join(root, `site/vms/x${n}.yaml`), `ipconfig0: "ip=10.20.0.${n}/27"\n`);
  expect(() => newStack(root, "stg", "dev")).toThrow("10.20.0.0/27 has no free address after 10.20.0.12");
});

test("a VM like another one: its file at the next free address, and its name in the stack's entry", () => {
  const before = read("site/stacks.ts");
  expect(newVm(root, "build-01", "dev", "k8s-dev")).toEqual(["site/stacks.ts", "site/vms/build-01.yaml", "site/tests/vm-build-01.test.ts"]);
  expect(read("site/tests/vm-build-01.test.ts")).toContain('expect(vm?.cloudInit.ipv4.address).toBe("10.20.0.15");');
  expect(read("site/stacks.ts")).toBe(before.replace('vms: { "k8s-dev": "cluster" },', 'vms: { "k8s-dev": "cluster", "build-01": "host" },'));
  expect(read("site/vms/build-01.yaml")).toBe(read("site/vms/k8s-dev.yaml").replace("k8s-dev", "build-01").replace("10.20.0.12/", "10.20.0.15/"));
});

test.each<[name: string, stack: string, like: string, said: string]>([
  ["Build", "dev", "k8s-dev", '"Build" is no name for a VM'],
  ["build", "dew", "k8s-dev", 'site/stacks.ts has no stack "dew"'],
  ["build", "dev", "k8s-dew", 'there is no VM "k8s-dew"'],
  ["k8s-tools", "dev", "k8s-dev", "site/vms/k8s-tools.yaml already exists, and nothing is overwritten"],
])("a VM %s in %s like %s is refused, and nothing is written", (name, stack, like, said) => {
  const before = [read("site/stacks.ts"), read("site/vms/k8s-tools.yaml")];
  expect(() => newVm(root, name, stack, like)).toThrow(said);
  expect([read("site/stacks.ts"), read("site/vms/k8s-tools.yaml")]).toEqual(before);
});

test("what only one VM can have is not given to another", () => {
  fs.appendFileSync(path.join(root, "site/vms/k8s-dev.yaml"), "vm_id: 500\n");
  expect(() => newVm(root, "build", "dev", "k8s-dev")).toThrow('the VM "k8s-dev" has a disk of its host or a fixed id, which no other can have');
});
