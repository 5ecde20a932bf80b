// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are a shell's
/** Compares the lab's hosts with the recorded answers of a Debian to the commands that roles use (recorded.real.test.ts checks the recording). */
import { createContext } from "../../../lab/core/context";
import { newSshKey } from "../../../lab/core/ssh-keys";
import { type Host, startHost } from "../../../lab/hosts";
import { asked, CASES, type HostAnswer, recorded } from "./cases";

/** Commands to which the lab gives another answer, and why. No role may depend on them. */
const OTHERWISE: Readonly<Record<string, { answer: HostAnswer; why: string }>> = {
  "printf '%s' 'a\"b\\c' | sed -e 's/\\\\/\\\\\\\\/g' -e 's/\"/\\\\\"/g'": {
    answer: { stdout: 'a"b\\c', exitCode: 0 },
    why: "just-bash's sed unescapes a replacement twice; roles escape with awk",
  },
  "printf 'one\\ntwo\\n' | awk 'NR > 1 { printf \"\\\\n\" } { printf \"%s\", $0 }'": {
    answer: { stdout: "one\ntwo", exitCode: 0 },
    why: "just-bash's awk unescapes a format twice; roles give it as an argument",
  },
  'set -u; echo ${none:-default}; [ -n "${none+x}" ]; echo $?': {
    answer: { stdout: "default\n", exitCode: 1 },
    why: "just-bash treats ${name+word} of an unset variable as a use of that variable",
  },
  "sh -c 'exit 9'; echo $?; sh -c 'kill -TERM $$'; echo $?": { answer: { stdout: "9\n127\n", exitCode: 0 }, why: "the lab's hosts have no kill" },
  "echo x > /etc/not-mine; echo $?": { answer: { stdout: "", exitCode: 1 }, why: "in just-bash a redirection that fails ends the script" },
  "systemctl is-active no-such-unit; echo $?": { answer: { stdout: "inactive\n4\n", exitCode: 0 }, why: "systemd 255 of the lab's Ubuntu; Debian 12 has 252" },
  "systemctl is-active --quiet no-such-unit.service; echo $?": { answer: { stdout: "4\n", exitCode: 0 }, why: "systemd 255, as above" },
  "cat /proc/sys/net/ipv4/ip_forward": { answer: { stdout: "", exitCode: 1 }, why: "the lab's /proc has no settings; roles use sysctl" },
};

let ctx: Awaited<ReturnType<typeof createContext>>;
let host: Host;
beforeAll(async () => {
  ctx = await createContext();
  const spec = {
    id: "112",
    hostname: "k8s-dev",
    address: "192.168.1.12",
    prefix: 24,
    gateway: "192.168.1.1",
    nameserver: "192.168.1.3",
    user: "suporte",
    authorizedKeys: [newSshKey().public],
    cores: 4,
    memoryMiB: 4096,
    diskGiB: 30,
  };
  host = await startHost({ spec, ctx, startCluster: () => Promise.reject(new Error("no cluster here")) });
});
afterAll(() => host.stop());

test.each(Object.keys(CASES))("%s: the lab's host answers as a Debian does", async (group) => {
  const answers: HostAnswer[] = [];
  for (const { command, stdin } of CASES[group] ?? []) {
    const { stdout, exitCode } = await host.run(command, stdin === undefined ? {} : { stdin });
    answers.push({ stdout: stdout.toString(), exitCode });
  }
  const expected = asked(group, recorded()[group]).map((one) => ({ ...one, ...OTHERWISE[one.command ?? ""]?.answer }));
  expect(asked(group, answers)).toEqual(expected);
});
