import { spawnSync } from "node:child_process";
import { combineRoles, compileRole, k3sUninstalled, kubeadmAdmission, kubeadmJoin, type Role } from "../../ansible-replacements";
import { ADDRESS, ROLE_CASES } from "../support/role-cases";
import { testWithShells } from "../support/shells";
import { testWhere } from "../support/skips";

const roles: Record<string, Role> = {
  ...Object.fromEntries(Object.entries(ROLE_CASES).map(([name, make]) => [name, make().role])),
  "k3s-uninstalled": k3sUninstalled(),
  "kubeadm-admission": kubeadmAdmission(),
  "kubeadm-join": kubeadmJoin({ name: "k8s-stg", address: "192.168.1.13", endpoint: `${ADDRESS}:6443`, kind: "control-plane" }),
};
const isInstalled = spawnSync("shellcheck", ["--version"]).status === 0;

describe.each(Object.keys(roles))("%s", (name) => {
  const { script, command } = compileRole(roles[name] ?? combineRoles("none"));
  testWithShells("the script and the remote command can be parsed", (shell) => {
    for (const input of [script, command]) expect(spawnSync(shell, ["-n"], { input, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  });
});

testWhere(isInstalled, "shellcheck is not installed; the package shellcheck brings it").each(Object.keys(roles))(
  "%s: shellcheck finds nothing, for dash, bash and plain sh (package shellcheck)",
  (name) => {
    const { script } = compileRole(roles[name] ?? combineRoles("none"));
    for (const shell of ["dash", "bash", "sh"])
      expect([shell, spawnSync("shellcheck", ["-s", shell, "-"], { input: script, encoding: "utf8" }).stdout]).toEqual([shell, ""]);
  },
);
