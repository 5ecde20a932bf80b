/** Over every resource of every stack: nothing falls back to what this machine happens to have. */
import { parse } from "yaml";
import { STACK_NAMES as names, registeredBy, settingsOf } from "../tests/support/stack-run";

/** Packages whose default provider would take this machine's kubeconfig, address or token. */
const REMOTE = ["kubernetes", "vault", "proxmoxve"];

test.each(names)("in %s every resource of a remote system names its provider", async (stack) => {
  const registered = await registeredBy(stack);
  const remote = registered.filter(({ custom, type }) => custom && REMOTE.includes(type.split(":")[0] ?? ""));
  expect(remote.length).toBeGreaterThan(20);
  expect(remote.filter(({ provider }) => (provider ?? "") === "").map(({ type, name }) => `${type} ${name}`)).toEqual([]);
});

test.each(names)("in %s default providers of remote systems are off", (stack) => {
  expect(parse(settingsOf(stack)).config["pulumi:disable-default-providers"]).toEqual(REMOTE);
});
