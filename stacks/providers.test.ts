/** Over every resource of every stack: nothing falls back to what this machine happens to have. */
import { parse } from "yaml";
import { registeredBy, settingsOf } from "../tests/support/stack-run";
import { STACKS } from "./definitions";

/** Packages whose default provider would take this machine's kubeconfig, address or token. */
const REMOTE = ["kubernetes", "vault", "proxmoxve"];
const names = STACKS.map(({ name }) => name);

test.each(names)("in %s every resource of a remote system names its provider", async (stack) => {
  const registered = await registeredBy(stack);
  const remote = registered.filter(({ custom, type }) => custom && REMOTE.includes(type.split(":")[0] ?? ""));
  expect(remote.length).toBeGreaterThan(20);
  expect(remote.filter(({ provider }) => (provider ?? "") === "").map(({ type, name }) => `${type} ${name}`)).toEqual([]);
});

test.each(names)("in %s default providers of remote systems are off", (stack) => {
  expect(parse(settingsOf(stack)).config["pulumi:disable-default-providers"]).toEqual(REMOTE);
});
