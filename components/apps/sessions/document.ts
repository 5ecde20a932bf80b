/**
 * Documents of cloud-init (https://cloudinit.readthedocs.io/en/latest/reference/modules.html). Pure; loads no Pulumi SDK.
 *
 * Values are put in by TypeScript. What still looks like a variable of some template afterwards was meant to be filled in by somebody, and
 * nobody will: it is refused.
 */
import { HomelabError } from "../../../common/errors";
import { portableYaml } from "../../../common/yaml";

export interface Document {
  readonly hostname: string;
  /** Public key of the one user. Left out: nobody can enter. */
  readonly ssh?: string;
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** Lines of a script for sh, which ends where one of them fails. */
  readonly run: readonly string[];
}

/** A shell script: each line ends it where it fails. */
const script = (lines: readonly string[]): string => ["set -eu", ...lines].join("\n");

/** Of Go and Jinja, of envsubst and Terraform, of this project's plans, and what JavaScript makes of a value that is not there. */
const LEFT_OVER = [/\{\{[^}]*\}\}/, /\{%[^%]*%\}/, /\$\{[A-Z][A-Z0-9_]*\}/, /<(image|output) of [^>]*>/, /\bundefined\b|\[object Object\]/];

/** @throws HomelabError E_SESSION for a variable that is left over in a value */
function refuseLeftOver(hostname: string, where: string, text: string): void {
  const found = LEFT_OVER.map((pattern) => pattern.exec(text)?.[0]).find((one) => one !== undefined);
  if (found === undefined) return;
  throw new HomelabError("E_SESSION", `the machine ${hostname}: ${where} has ${found}, which nothing fills in`, {
    subject: hostname,
    hint: "write the value itself",
  });
}

/** @throws HomelabError E_SESSION for a variable that is left over */
export function documentOf({ hostname, ssh, files, run }: Document): string {
  for (const { path, content } of files) refuseLeftOver(hostname, path, content);
  for (const line of run) refuseLeftOver(hostname, "its script", line);
  if (ssh !== undefined) refuseLeftOver(hostname, "the SSH key", ssh);
  const learner = { name: "learner", shell: "/bin/bash", sudo: "ALL=(ALL) NOPASSWD:ALL", lock_passwd: true };
  const document = {
    hostname,
    manage_etc_hosts: true,
    ssh_pwauth: false,
    disable_root: true,
    // Without a key there is the distribution's own user, whom nothing lets in.
    ...(ssh === undefined ? {} : { users: [{ ...learner, ssh_authorized_keys: [ssh] }] }),
    ...(files.length === 0 ? {} : { write_files: files.map(({ path, content }) => ({ path, content, permissions: "0600", owner: "root:root" })) }),
    runcmd: [["sh", "-c", script(run)]],
  };
  return `#cloud-config\n${portableYaml(document)}`;
}
