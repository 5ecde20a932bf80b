import { FAULTS } from "../../lab/core/faults";
import { chooseScenarios } from "./scenarios";

const NAMES = Object.keys(FAULTS);

test("all: every fault of the lab's code, some in several ways; each parameter is one that the lab knows", () => {
  const all = chooseScenarios("all", NAMES, 1);
  expect([...new Set(all.map(({ name }) => name))]).toEqual(NAMES);
  expect(new Set(all.map(({ title }) => title)).size).toBe(all.length);
  expect(all.filter(({ name }) => name === "proxmox.unavailable").map(({ title }) => title)).toEqual(["proxmox.unavailable 500", "proxmox.unavailable 596"]);
  const strange = all.flatMap(({ name, parameters = {} }) => {
    const known: readonly string[] = FAULTS[name as keyof typeof FAULTS];
    return Object.keys(parameters).filter((key) => !known.includes(key));
  });
  expect(strange).toEqual([]);
});

test("the faults that a homelab meets in practice are among them", () => {
  const titles = chooseScenarios("all", NAMES, 1).map(({ title }) => title);
  const met = [
    ...["proxmox.clone-lock-timeout", "proxmox.task-failed", "proxmox.reply-lost", "vault.reply-lost", "kubernetes.reply-lost"],
    ...["proxmox.unavailable 500", "proxmox.unavailable 596", "ssh.restarting", "vm.reboot", "apt.lock-held"],
    ...["kubernetes.unavailable 429", "kubernetes.unavailable 503", "kubernetes.watch-cut", "kubernetes.conflict", "kubernetes.webhook-silent"],
    ...["vault.sealed", "s3.write-refused", "s3.clock-skew", "disk.full", "dns.failed", "tls.expired"],
  ];
  expect(met.filter((title) => !titles.includes(title))).toEqual([]);
});

test("a seed says where each strikes, alone or with others; another seed says another place", () => {
  const seeded = (seed: number) => chooseScenarios("all", NAMES, seed);
  expect(seeded(7)).toEqual(seeded(7));
  expect(seeded(7)).not.toEqual(seeded(8));
  expect(chooseScenarios("vault.reply-lost", NAMES, 7)).toEqual(seeded(7).filter(({ name }) => name === "vault.reply-lost"));
});

test("a name that is not there is refused, with the nearest", () => {
  expect(() => chooseScenarios("proxmox.task-faild", NAMES, 1)).toThrow(
    expect.objectContaining({ code: "E_USAGE", message: "there is no fault proxmox.task-faild", hint: "did you mean proxmox.task-failed?" }),
  );
});
