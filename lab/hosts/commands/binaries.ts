import { fail, type HostCommand, type Invocation, ok, unmodelled } from "../command";
import { uninstallK3s } from "../k3s";
import { clusterApiQuestion, clusterctl } from "./cluster-api";
import { cilium, kubeadm, kubectl } from "./kubeadm";
import { PROGRAMS } from "./programs";

const MOST_ARGUMENTS = 9;

/**
 * What stand-ins for downloaded programs run: `lab-binary NAME VERSION ARGS…`. A program that is not on the disk cannot be run.
 * One that the lab does not model fails with a message that says so.
 */
const labBinary: HostCommand = async (run) => {
  const [name = "", version = "", ...args] = run.args;
  // just-bash gives a script nine arguments, and an empty text for each further one.
  if (args.length > MOST_ARGUMENTS) return unmodelled(run, name, `more than ${MOST_ARGUMENTS} arguments`);
  if (name === "k3s") return k3s(run, version, args);
  if (name === "k3s-uninstall") {
    if (run.who.uid !== 0) return fail("k3s-uninstall.sh: must be run as root");
    await uninstallK3s(run.machine);
    return ok();
  }
  if (name === "kubeadm") return kubeadm(run, version, args);
  if (name === "kubectl") return kubectl(run, args);
  if (name === "cilium") return cilium(run, args);
  if (name === "clusterctl") return clusterctl(run, args);
  const program = PROGRAMS[name];
  if (program !== undefined) return program(run, version, args);
  return unmodelled(run, name, args.join(" "));
};

async function k3s(run: Invocation, version: string, args: string[]) {
  const { machine } = run;
  if (args[0] === "--version" || args[0] === "-v") return ok(`k3s version ${version} (lab)\ngo version go1.24.6\n`);
  if (args[0] !== "kubectl") return unmodelled(run, "k3s", args.join(" "));
  const { cluster } = machine;
  const readable =
    run.who.uid === 0 ||
    (((await machine.disk.inner.exists("/etc/rancher/k3s/k3s.yaml")) && (await machine.disk.inner.stat("/etc/rancher/k3s/k3s.yaml")).mode) || 0) & 0o004;
  if (!readable) return fail('error: error loading config file "/etc/rancher/k3s/k3s.yaml": open /etc/rancher/k3s/k3s.yaml: permission denied');
  if (!cluster) return fail("The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?");
  const [verb, ...rest] = args.slice(1);
  if (verb === "get" && rest[0] === "--raw" && /^\/(readyz|livez|healthz)$/.test(rest[1] ?? "")) return ok("ok");
  if (verb === "get" && /^nodes?$/.test(rest[0] ?? "") && rest.length === 1) {
    return ok(`NAME                STATUS   ROLES                  AGE   VERSION\n${machine.hostname}   Ready    control-plane,master   1m   ${version}\n`);
  }
  const answer = await clusterApiQuestion(run, args.slice(1));
  if (answer !== undefined) return answer;
  return unmodelled(run, "k3s kubectl", args.slice(1).join(" "));
}

export const BINARY_COMMANDS: Record<string, HostCommand> = { "lab-binary": labBinary };
