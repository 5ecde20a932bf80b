// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are a shell's
/** Commands that roles use, in the order in which they run on one fresh host. `recorded/` has a real Debian's answer to each. */
import * as fs from "node:fs";
import * as path from "node:path";

export interface HostCase {
  /** Run by the user's login shell over SSH. */
  command: string;
  stdin?: string;
}

export interface HostAnswer {
  stdout: string;
  exitCode: number;
}

/** As root, by the shell that runs roles. */
const root = (script: string): string => `sudo -n sh -c '${script}'`;

export const CASES: Readonly<Record<string, readonly HostCase[]>> = {
  identity: [
    { command: "id -un; id -u; id -gn" },
    { command: "sudo -n id -un; sudo -n id -u" },
    { command: "sudo -n env HOMELAB_CHECK=1 sh -c 'echo $HOMELAB_CHECK; id -u'" },
    { command: "FROM_USER=1 sudo -n sh -c 'echo \"[${FROM_USER:-unset}]\"'" },
    { command: "uname -n; hostname; cat /etc/hostname" },
    { command: "uname -s; uname -m" },
    { command: "dpkg --print-architecture" },
    { command: "getent passwd root | cut -d : -f 1,3,4,6,7" },
    { command: "getent passwd no-such-user" },
    { command: "getent group sudo | cut -d : -f 1,3" },
    { command: "id -u no-such-user 2>&1" },
  ],
  accounts: [
    { command: root("groupadd --gid 1800 storage; getent group storage") },
    { command: root("groupadd --gid 1800 storage 2>&1") },
    { command: root("useradd --uid 1800 --gid storage --shell /bin/bash --create-home keeper; getent passwd keeper") },
    { command: root("useradd --uid 1800 --gid storage keeper 2>&1") },
    { command: "id keeper" },
    { command: "stat -c %U:%G /home/keeper" },
    { command: root("useradd --system --no-create-home --shell /usr/sbin/nologin daemon-user; id -u daemon-user >/dev/null") },
    { command: "/usr/sbin/useradd nobody-may 2>/dev/null; [ $? -ne 0 ]; echo $?" },
    { command: "sudo -n -u keeper id -un" },
  ],
  files: [
    { command: root('mkdir -p /srv/a/b; stat -c "%a %U:%G %F" /srv/a/b') },
    { command: root('chmod 0750 /srv/a/b; chown keeper:storage /srv/a/b; stat -c "%a %U:%G" /srv/a/b') },
    { command: root("stat -c %a /srv/none 2>&1") },
    { command: root("chown no-such-user /srv/a 2>&1") },
    { command: root("chown root:no-such-group /srv/a 2>&1") },
    { command: root("rm -f /srv/none; echo $?") },
    { command: root("rm /srv/none 2>&1") },
    { command: root(': > /srv/empty; stat -c "%a %s %F" /srv/empty') },
    { command: root("printf %s text > /srv/f; cat /srv/f; stat -c %s /srv/f") },
    { command: root("chmod 0600 /srv/f; printf %s more > /srv/f; stat -c %a /srv/f") },
    { command: root("umask 077; : > /srv/private; stat -c %a /srv/private") },
    { command: root("mv -f /srv/f /srv/g; ls /srv; cat /srv/g") },
    { command: root("mv /srv/none /srv/x 2>&1") },
    { command: root("cat /srv/none 2>&1") },
    { command: root('cp /srv/g /srv/h; stat -c "%a %U:%G" /srv/h') },
    { command: root("ls /srv/none 2>&1") },
    { command: root("ln -s /srv/g /srv/link; readlink /srv/link; [ -L /srv/link ] && cat /srv/link") },
    { command: root("ln -s /srv/g /srv/link 2>&1; ln -sf /srv/h /srv/link; readlink /srv/link") },
    { command: root("mkdir /srv/a 2>&1") },
    { command: root("rmdir /srv/a 2>&1") },
    { command: root('printf "a\\nb\\n" | sha256sum; sha256sum /srv/empty') },
    { command: root("sha256sum /srv/none 2>&1") },
    { command: root("cmp -s /srv/g /srv/h; echo $?; cmp -s /srv/g /srv/empty; echo $?; cmp -s /srv/g /srv/none; echo $?") },
    { command: root('install -d -m 0710 -o keeper -g storage /srv/inst; stat -c "%a %U:%G" /srv/inst') },
    { command: root('install -m 0640 /srv/g /srv/installed; stat -c "%a %U:%G %s" /srv/installed') },
    { command: root("tee /srv/teed"), stdin: "through\n" },
    { command: root("cat /srv/teed; wc -c < /srv/teed") },
    { command: root('d=$(mktemp -d); stat -c "%a %F" "$d"; rmdir "$d"') },
    { command: root('find /srv -type f -name "*ed" | sort') },
    { command: "cat /root/secret 2>&1; echo $?" },
    { command: "echo x > /etc/not-mine; echo $?" },
    { command: "cat /srv/private 2>&1" },
    { command: "stat -c %a /etc/shadow >/dev/null; echo $?" },
    { command: "mkdir /etc/not-mine 2>&1" },
    { command: "chmod 777 /etc/hostname 2>&1" },
    { command: "[ -d /srv ]; echo $?; [ -f /srv ]; echo $?; [ -e /srv/none ]; echo $?; [ -s /srv/empty ]; echo $?; [ -x /bin/sh ]; echo $?" },
  ],
  text: [
    {
      command:
        'printf \'a"b\\\\c\\tt\' | awk \'{ gsub(/["\\\\]/, "\\\\\\\\&"); n = split($0, part, "\\t"); for (i = 1; i <= n; i++) printf "%s%s", (i > 1 ? "\\\\t" : ""), part[i] }\'',
    },
    { command: 'printf \'one\\ntwo\\n\' | awk \'NR > 1 { printf "%s", "\\\\n" } { printf "%s", $0 }\'' },
    { command: "printf '%s' 'a\"b\\c' | sed -e 's/\\\\/\\\\\\\\/g' -e 's/\"/\\\\\"/g'" },
    { command: "printf 'one\\ntwo\\n' | awk 'NR > 1 { printf \"\\\\n\" } { printf \"%s\", $0 }'" },
    { command: "printf 'a\\033[1mb\\tc' | tr -d '[:cntrl:]'" },
    { command: "printf '0123456789' | tail -c 4" },
    { command: "printf 'a:b:c\\n' | cut -d : -f 2; printf 'x y  z\\n' | cut -d ' ' -f 1" },
    { command: "printf 'a\\nb\\n' | grep -q b; echo $?; printf 'a\\n' | grep -q b; echo $?; grep -q b /srv/none 2>/dev/null; echo $?" },
    { command: "printf 'a=1\\nb=2\\n' | grep -c =; printf 'abc\\n' | grep -o b; printf 'x\\n' | grep -e y -e x" },
    { command: "printf 'aGVsbG8=\\n' | base64 -d; printf 'hello' | base64" },
    { command: "printf 'b\\na\\nb\\n' | sort -u | tr '\\n' ' '" },
    { command: "printf 'one\\ntwo\\nthree\\n' | head -n 2 | tail -n 1; printf 'a\\n\\nb\\n' | wc -l" },
    { command: 'IFS= read -r line; echo "got [$line]"', stdin: "  padded \\ line  \nnext\n" },
    { command: "read -r line; echo $?", stdin: "" },
    { command: root('printf "a = 1\\nb = 2\\n" > /srv/conf; sed -i "s/^a = .*/a = 9/" /srv/conf; cat /srv/conf; stat -c %a /srv/conf') },
    { command: 'set -u; echo ${none:-default}; [ -n "${none+x}" ]; echo $?' },
    { command: "false || (exit 7); echo $?; { true && false; }; echo $?; ! true; echo $?" },
    { command: "f() { return 3; }; f; echo $?; x=$(f); echo \"$? [$x]\"; out=$(printf 'a\\n\\n'); printf '[%s]' \"$out\"" },
    { command: 'i=0; until [ "$i" -ge 3 ]; do i=$((i + 1)); done; echo $i; for w in a b; do printf \'%s,\' "$w"; done' },
    { command: "case v1.34.2 in v1.3*) echo yes ;; *) echo no ;; esac; x=a/b/c; echo ${x##*/} ${x%/*} ${#x}" },
    { command: "no-such-command 2>/dev/null; echo $?; command -v no-such-command; echo $?; command -v sh >/dev/null; echo $?" },
    { command: "sh -c 'exit 9'; echo $?; sh -c 'kill -TERM $$'; echo $?" },
    { command: "/etc/hostname 2>/dev/null; echo $?" },
    { command: "echo out; echo err >&2; exit 5" },
  ],
  packages: [
    { command: "dpkg-query -W -f='${db:Status-Status}' curl" },
    { command: "dpkg-query -W -f='${db:Status-Status}' no-such-package 2>&1" },
    { command: "dpkg-query -W -f='${db:Status-Status}\\n' curl no-such-package 2>/dev/null; echo $?" },
    { command: root("apt-get -qq -y -o DPkg::Lock::Timeout=300 update >/dev/null 2>&1; echo $?") },
    { command: root("apt-get -qq -y install no-such-package 2>&1") },
    { command: "apt-get -qq -y install jq >/dev/null 2>&1; echo $?" },
    { command: root("env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends jq >/dev/null 2>&1; echo $?") },
    { command: "dpkg-query -W -f='${db:Status-Status}' jq" },
    { command: root("apt-get -qq -y install jq >/dev/null 2>&1; echo $?") },
    { command: root("apt-mark hold jq; apt-mark showhold; apt-mark hold jq") },
    { command: root("apt-mark unhold jq; apt-mark showhold") },
    { command: root("apt-get -qq -y remove jq >/dev/null 2>&1; echo $?") },
    { command: "dpkg-query -W -f='${db:Status-Status}' jq 2>/dev/null; echo \" $?\"" },
  ],
  services: [
    { command: "systemctl is-active no-such-unit; echo $?" },
    { command: "systemctl is-active --quiet no-such-unit.service; echo $?" },
    {
      command: root(
        'printf "[Service]\\nExecStart=/bin/sleep 100000\\n\\n[Install]\\nWantedBy=multi-user.target\\n" > /etc/systemd/system/sleeper.service; systemctl daemon-reload',
      ),
    },
    { command: "systemctl is-enabled sleeper; echo $?; systemctl is-active sleeper; echo $?" },
    {
      command: root(
        "systemctl enable sleeper.service 2>/dev/null; echo $?; systemctl is-enabled sleeper; readlink /etc/systemd/system/multi-user.target.wants/sleeper.service",
      ),
    },
    { command: root("systemctl start sleeper; echo $?; systemctl is-active sleeper") },
    { command: root("systemctl restart sleeper.service; echo $?; systemctl is-active --quiet sleeper; echo $?") },
    { command: "systemctl show -p ActiveState -p SubState sleeper; systemctl show -p ActiveState --value sleeper" },
    { command: "systemctl is-active sleeper sleeper no-such-unit; echo $?" },
    { command: root("systemctl stop sleeper; echo $?; systemctl is-active sleeper") },
    {
      command: root(
        "systemctl disable sleeper 2>/dev/null; systemctl is-enabled sleeper; ls /etc/systemd/system/multi-user.target.wants/sleeper.service 2>&1 | wc -l",
      ),
    },
    { command: root("systemctl restart no-such-unit.service 2>&1; echo $?") },
    { command: root("systemctl enable no-such-unit.service 2>&1; echo $?") },
    { command: "systemctl restart sleeper >/dev/null 2>&1 </dev/null; [ $? -ne 0 ]; echo $?" },
  ],
  kernel: [
    { command: root("sysctl -n net.ipv4.ip_forward") },
    { command: root("sysctl -w net.ipv4.ip_forward=1; sysctl -n net.ipv4.ip_forward") },
    {
      command: root(
        'printf "# comment\\n\\nnet.ipv4.ip_forward = 0\\n" > /etc/sysctl.d/90-x.conf; sysctl -p /etc/sysctl.d/90-x.conf; sysctl net.ipv4.ip_forward',
      ),
    },
    { command: root("sysctl -q -w net.ipv4.ip_forward=0; echo $?") },
    { command: root("sysctl -n net.none.such 2>&1") },
    { command: root("sysctl -p /etc/sysctl.d/none.conf 2>&1") },
    { command: "cat /proc/sys/net/ipv4/ip_forward" },
    { command: root("modprobe no-such-module 2>/dev/null; echo $?") },
    { command: root("swapon --show --noheadings; echo $?; swapoff -a; echo $?") },
    { command: root("findmnt -n -o TARGET /; findmnt -n /srv/none; echo $?") },
    { command: root("curl -fsS --connect-timeout 2 http://127.0.0.1:9/ 2>/dev/null; echo $?") },
  ],
};

const FILE = path.join(__dirname, "recorded", "debian-12.json");

export type Recording = Record<string, HostAnswer[]>;

/** The answers of a group, each with its command, so that a difference shows which command it belongs to. */
export function asked(group: string, answers: readonly HostAnswer[] = []): (HostAnswer & { command: string | undefined })[] {
  return answers.map((answer, index) => ({ command: CASES[group]?.[index]?.command, ...answer }));
}

export const recorded = (): Recording => (JSON.parse(fs.readFileSync(FILE, "utf8")) as { answers: Recording }).answers;

export function record(answers: Recording): void {
  fs.writeFileSync(FILE, `${JSON.stringify({ server: "Debian 12 with systemd 252 and OpenSSH 9.2, as user suporte", answers }, undefined, 1)}\n`);
}
