/** shellcheck finds nothing in the script of any role. */
import { spawnSync } from "node:child_process";
import { base, combineRoles, compileRole, k3sServer, longhornPrep, type Role } from "../../ansible-replacements";
import { command, waitUntil } from "../../ansible-replacements/operations/commands";
import { download } from "../../ansible-replacements/operations/downloads";
import { directory, file } from "../../ansible-replacements/operations/files";
import { packages } from "../../ansible-replacements/operations/packages";
import { service } from "../../ansible-replacements/operations/services";
import { describeReal } from "../support/real-parts";

/** Every operation, with names and values that need quoting. */
const OPERATIONS: Role = {
  name: "operations",
  secrets: ["TOKEN"],
  operations: [
    directory("/srv/it's here", { mode: "0750", owner: "keeper:storage" }),
    file({ path: "/srv/it's here/a b", mode: "0600", content: "it's $HOME `x`\n" }),
    file({ path: "/srv/token", mode: "0600", content: { secret: "TOKEN" } }),
    download({ url: "https://example.org/a?b=c&d", sha256: "0".repeat(64), path: "/srv/download", mode: "0755" }),
    packages("curl", "ca-certificates"),
    service({ name: "greeter", startedWith: ["a"] }),
    waitUntil("ready", "[ -e /srv/ready ]", 3),
    command("marker", "[ -e /srv/marker ]", "touch /srv/marker"),
  ],
};
const ROLES: Role[] = [
  OPERATIONS,
  base,
  longhornPrep({ v2Engine: true }),
  k3sServer({ address: "192.168.1.12", disable: ["traefik"], localStoragePath: "/mnt/storage" }),
  combineRoles("node", base, k3sServer({ address: "192.168.1.12" })),
];
/**
 * Findings that are intended: functions that are called by a computed name (2317, 2329), conditions that are lists of commands (2015,
 * 2319), and content in quotes that has a `$` (2016).
 */
const EXCLUDED = "SC2317,SC2329,SC2015,SC2319,SC2016";

describeReal(["shellcheck"], "shellcheck", (pathOf) => {
  test.each(ROLES.map((role) => [role.name, role] as const))("the script of %s is clean", (_, role) => {
    const { stdout, status } = spawnSync(pathOf("shellcheck"), ["--shell=dash", `--exclude=${EXCLUDED}`, "-"], {
      input: compileRole(role).script,
      encoding: "utf8",
    });
    expect([status, stdout]).toEqual([0, ""]);
  });

  test("the script that boots test hosts is clean", () => {
    const { stdout, status } = spawnSync(pathOf("shellcheck"), ["--shell=sh", "--exclude=SC2016", "tests/support/real-host.sh"], { encoding: "utf8" });
    expect([status, stdout]).toEqual([0, ""]);
  });
});
