/** Over every resource of every stack: nothing falls back to what this machine happens to have. */
import { parse } from "yaml";
import { ownRuns } from "../tests/support/stack-run";

const { names, registeredBy, settingsOf } = ownRuns();

/** What the engine itself makes: providers, and what it reads of other stacks. */
const isEngines = (type: string): boolean => type.startsWith("pulumi:");

test.each(names)("in %s every resource names its provider, which the program made", async (stack) => {
  const registered = await registeredBy(stack);
  const made = registered.filter(({ type }) => type.startsWith("pulumi:providers:")).map(({ type, name }) => `${type}::${name}::`);
  const managed = registered.filter(({ custom, type }) => custom && !isEngines(type));
  expect(new Set(managed.map(({ type }) => type.split(":")[0]))).toEqual(new Set(["command", "kubernetes", "proxmoxve", "vault"]));
  const bad = managed.filter(({ provider = "" }) => !made.some((one) => provider.includes(one)));
  expect(bad.map(({ type, name, provider }) => `${type} ${name}: ${provider || "none"}`)).toEqual([]);
});

test.each(names)("in %s default providers are off", (stack) => {
  expect(parse(settingsOf(stack)).config["pulumi:disable-default-providers"]).toEqual(["*"]);
});

test.each(names)("in %s the log of a failed command says why: its errors are not left out", async (stack) => {
  const commands = (await registeredBy(stack)).filter(({ type }) => /^command:(local|remote):Command$/.test(type));
  expect(commands.filter(({ inputs }) => inputs["logging"] === "none" || inputs["logging"] === "stdout").map(({ name }) => name)).toEqual([]);
});
