/** Whether the stack's cluster can be kubeadm's. */
import { HomelabError } from "../../../common/errors";
import { clusterOffer } from "../../../components/clusters/distributions";
import { VM_FOLDER } from "../../load/owners";
import { type LoadedStack, vmNames } from "../../load/stacks";
import { hasCapability } from "../platform-input";
import { clusterVmOf, type RoleRequest } from "./planned-role";

/** What the stack needs that k3s provides, but neither kubeadm nor a module of the stack. */
function builtOnK3s({ platform, apps }: LoadedStack): string[] {
  const hasRoutes = hasCapability(clusterOffer("kubeadm"), { platform }, "ingress");
  const hasVolumes = platform["local-path"] !== undefined;
  const volumes = (["vault", "minio"] as const).filter((module) => platform[module] !== undefined);
  const routed = Object.entries(apps).filter(([, { ports }]) => ports.some(({ host, withoutIngress }) => host !== undefined && withoutIngress !== "skip"));
  const missing = [...(hasVolumes ? [] : ["volumes of local-path"]), ...(hasRoutes ? [] : ["routes of Traefik"])];
  return [
    ...(volumes.length === 0 || missing.length === 0 ? [] : [`${missing.join(" and ")} for ${volumes.join(" and ")}`]),
    ...(routed.length === 0 || hasRoutes ? [] : [`a route of Traefik for ${routed.map(([name]) => name).join(" and ")}`]),
  ];
}

/** @throws HomelabError where kubeadm cannot build the cluster that the settings and the matrix describe */
export function checkKubeadm({ stack, config, vms }: RoleRequest): void {
  if (config.kubeadm === undefined) return;
  const file = `Pulumi.${stack.name}.yaml`;
  const refuse = (what: string, hint: string): never => {
    throw new HomelabError("E_CONFIG_VALUE", `${file}: homelab:kubeadm${what}`, { subject: file, hint });
  };
  const missing = builtOnK3s(stack);
  if (missing.length > 0)
    refuse(
      `: the stack needs ${missing.join(", and ")}: k3s brings that, and kubeadm does not`,
      "add the modules that bring it (traefik with metallb, local-path), or take the setting out: the cluster is then k3s",
    );
  const ofK3s = [
    ...(config.k3s === undefined ? [] : ["k3s"]),
    ...(config.k3sDisable.length === 0 ? [] : ["k3sDisable"]),
    ...(config.localStoragePath === undefined ? [] : ["localStoragePath"]),
  ];
  if (ofK3s.length > 0)
    refuse(` excludes homelab:${ofK3s.join(" and homelab:")}, which ${ofK3s.length === 1 ? "is" : "are"} about k3s`, "take one of them out");
  const owned = vmNames(stack);
  for (const name of Object.keys(config.kubeadm.nodes)) {
    if (!owned.includes(name)) refuse(`: nodes names ${name}, which is no VM of this stack`, `its VMs are: ${owned.join(", ")}`);
    if (name === clusterVmOf(stack)) refuse(`: nodes names ${name}, which is the cluster's first node anyway`, "take it out of nodes");
    if (vms.get(name)?.running === false)
      throw new HomelabError("E_HOST_OFF", `${file}: homelab:kubeadm: nodes names ${name}, and that VM is off`, {
        subject: name,
        hint: `take vm_state out of ${VM_FOLDER}/${name}.yaml, or the node out of the setting`,
      });
  }
}
