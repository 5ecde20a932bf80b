/** Tests that `homelab init` and `homelab new` write, each for a part of the adopter's homelab. */

const quoted = (value: string): string => JSON.stringify(value);
const list = (values: readonly string[]): string => `[${values.map(quoted).join(", ")}]`;

/** The homelab as a whole: its stacks, in the order of the matrix. */
export const siteTest = (domain: string, stacks: readonly string[]): string => `import { loadEstate } from "../../stacks/load/estate";
import { planEstate } from "../../stacks/plan/plan";

test("the site can be planned, with every stack that it was made with", () => {
  const estate = loadEstate();
  expect(estate.site.domain).toBe(${quoted(domain)});
  expect([...planEstate(estate).keys()]).toEqual(expect.arrayContaining(${list(stacks)}));
});
`;

/** @param vms the stack's own, in the order of the matrix */
export const stackTest = (name: string, vms: readonly string[]): string => `import { loadEstate } from "../../stacks/load/estate";
import { planEstate } from "../../stacks/plan/plan";

test("the stack ${name} has its VMs, and host names of its own", () => {
  const plans = planEstate(loadEstate());
  const plan = plans.get(${quoted(name)});
  expect(plan?.vms.map((vm) => vm.name)).toEqual(${list(vms)});
  const others = [...plans.values()].filter((other) => other !== plan).flatMap(({ hostNames }) => hostNames);
  expect(plan?.hostNames.filter((host) => others.includes(host))).toEqual([]);
});
`;

export const vmTest = (name: string, stack: string, address: string): string => `import { loadEstate } from "../../stacks/load/estate";
import { planEstate } from "../../stacks/plan/plan";

test("the VM ${name} belongs to ${stack}, at its address", () => {
  const vm = planEstate(loadEstate())
    .get(${quoted(stack)})
    ?.vms.find((one) => one.name === ${quoted(name)});
  expect(vm?.cloudInit.ipv4.address).toBe(${quoted(address)});
});
`;

export interface TestedApp {
  name: string;
  /** Stack of the matrix that it was given to. */
  stack: string;
  image: string;
  port: number;
  /** Host name without the domain; undefined: it has none. */
  host: string | undefined;
}

export const appTest = ({ name, stack, image, port, host }: TestedApp): string => `import { loadEstate } from "../../stacks/load/estate";
import { planEstate } from "../../stacks/plan/plan";

test("${name} runs in ${stack}: its image, its port, and the name that leads to it", () => {
  const estate = loadEstate();
  const plan = planEstate(estate).get(${quoted(stack)});
  const app = plan?.apps.find((one) => one.name === ${quoted(name)});
  const host = ${host === undefined ? "undefined" : `\`${host}.\${estate.site.domain}\``};
  expect(app?.spec.image).toBe(${quoted(image)});
  expect(app?.spec.ports.map((port) => [port.port, port.host])).toEqual([[${port}, host]]);
  expect(plan?.platform.hosts.filter(({ owner }) => owner === ${quoted(name)}).map((one) => one.name)).toEqual(${host === undefined ? "[]" : "[host]"});
});
`;
