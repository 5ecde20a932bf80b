/** One homelab as plain data: the files of its site, its VM definitions and its settings, each checked. Loads no Pulumi SDK. */
import * as path from "node:path";
import { projectRoot } from "../../common/paths";
import type { VmSpec } from "../../components/hosts/vm-spec";
import { proxmox } from "../../site/nodes";
import { site } from "../../site/site";
import { stacks } from "../../site/stacks";
import type { ProxmoxSite } from "../define/nodes";
import type { Site } from "../define/site";
import { checkOwners, VM_FOLDER } from "./owners";
import { problemText, throwProblems } from "./problems";
import type { StackConfig } from "./settings";
import { readSettings } from "./settings-files";
import { checkSiteFiles, type SiteFiles } from "./site-files";
import { type LoadedStack, loadStacks } from "./stacks";
import { checkVms } from "./vms/check-vms";
import { readVms } from "./vms/load-vms";

export interface Estate {
  /** Folder of the checkout that it was read from. */
  root: string;
  site: Site;
  proxmox: ProxmoxSite;
  /** In the order of the matrix. */
  stacks: readonly LoadedStack[];
  vms: ReadonlyMap<string, VmSpec>;
  /** Warnings by VM: `file:line: key: message`. */
  warnings: ReadonlyMap<string, readonly string[]>;
  /** By stack. */
  settings: ReadonlyMap<string, StackConfig>;
}

/** The checkout's own site. */
export const SITE_FILES: SiteFiles = { site, proxmox, stacks };

/**
 * @param root of the checkout that the files are of: their lines, its folder `site/vms`, and its settings
 * @throws HomelabError E_SITE and E_INVENTORY with file, line and key of every problem; E_VM_OWNER, E_VM_UNKNOWN, E_VM_DUTY;
 * E_CONFIG_FILE, E_CONFIG_KEY, E_CONFIG_VALUE
 */
export function loadEstate(files: SiteFiles = SITE_FILES, root: string = projectRoot()): Estate {
  checkSiteFiles(files, root);
  const located = readVms(path.join(root, VM_FOLDER), VM_FOLDER);
  const { problems, warnings } = checkVms(located, files.proxmox.nodes, files.site);
  throwProblems(problems);
  const loaded = loadStacks(files.stacks);
  checkOwners(
    located.map((vm) => vm.spec.name),
    loaded,
    root,
  );
  const warningsOf = (file: string) => warnings.filter((warning) => warning.file === file).map(problemText);
  return {
    root,
    site: files.site,
    proxmox: files.proxmox,
    stacks: loaded,
    vms: new Map(located.map((vm) => [vm.spec.name, vm.spec])),
    warnings: new Map(located.map((vm) => [vm.spec.name, warningsOf(vm.file)])),
    settings: readSettings(
      root,
      loaded.map(({ name }) => name),
    ),
  };
}
