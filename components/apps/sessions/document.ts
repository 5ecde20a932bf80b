/**
 * Documents of cloud-init (https://cloudinit.readthedocs.io/en/latest/reference/modules.html). Pure; loads no Pulumi SDK.
 *
 * TypeScript fills in all values. What still looks like a variable of a template afterwards would never be filled in, so it is refused.
 */
import { HomelabError } from "../../../common/errors";
import { portableYaml } from "../../../common/yaml";

export interface Document {
  readonly hostname: string;
  /** Public key of the only user. Left out: nobody can log in. */
  readonly ssh?: string;
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** Lines of a script for sh, which ends where one of them fails. */
  readonly run: readonly string[];
}

/** A shell script that ends at the first line that fails. */
const script = (lines: readonly string[]): string => ["set -eu", ...lines].join("\n");

/** Variables of Go, Jinja, envsubst, Terraform and this project's plans; and what JavaScript prints for a missing value. */
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
    // Without a key only the distribution's default user exists, and nobody can log in as that.
    ...(ssh === undefined ? {} : { users: [{ ...learner, ssh_authorized_keys: [ssh] }] }),
    ...(files.length === 0 ? {} : { write_files: files.map(({ path, content }) => ({ path, content, permissions: "0600", owner: "root:root" })) }),
    runcmd: [["sh", "-c", script(run)]],
  };
  return `#cloud-config\n${portableYaml(document)}`;
}
