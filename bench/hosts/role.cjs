// The ten tasks of playbook.yml as a role: packages, folder, files, a template, a line, commands.
"use strict";
const { command } = require("../../bin/ansible-replacements/operations/commands.js");
const { directory, file } = require("../../bin/ansible-replacements/operations/files.js");
const { packages } = require("../../bin/ansible-replacements/operations/packages.js");

const template = (host) => `# ${host}\n${[1, 2, 3, 4].map((n) => `server = 192.0.2.${n}\n`).join("")}`;

/** @param host its name, which the template holds */
exports.role = (host) => ({
  name: "bench",
  operations: [
    packages("curl", "ca-certificates"),
    packages("sudo", "gnupg", "procps"),
    directory("/etc/bench/conf.d", { mode: "0755" }),
    file({ path: "/etc/bench/a.conf", mode: "0644", content: "a = 1\n" }),
    file({ path: "/etc/bench/b.conf", mode: "0600", content: `${"b = 2\n".repeat(200)}` }),
    file({ path: "/etc/bench/hosts.conf", mode: "0644", content: template(host) }),
    command("line", "grep -qxF 'DefaultLimitNOFILE=65536' /etc/systemd/system.conf", "echo DefaultLimitNOFILE=65536 >> /etc/systemd/system.conf"),
    command("setting", '[ "$(sysctl -n net.ipv4.ip_forward)" = 1 ]', "sysctl -q -w net.ipv4.ip_forward=1"),
    command("marker", "[ -e /etc/bench/made ]", "touch /etc/bench/made"),
    command("link", '[ "$(readlink /etc/bench/link)" = /etc/bench/a.conf ]', "ln -sf /etc/bench/a.conf /etc/bench/link"),
  ],
});
