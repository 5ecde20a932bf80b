import { HomelabError } from "../../common/errors";
import { quote } from "../../common/quote";
import type { Operation } from "../role";

/** Seconds between two tries while another process holds apt's lock, and how many tries (unattended upgrades run right after the first boot). */
const LOCK_PAUSE_SECONDS = 5;
const LOCK_TRIES = 60;

/**
 * `hl_apt` runs apt-get and tries again while another process holds one of apt's locks; when it gives up, it prints apt's message, which
 * names that process. It completes an interrupted dpkg. It does not use apt's own option for waiting, which leaves out the lock of the
 * package lists. `hl_has_package NAME VERSION` reads `$hl_packages`; an empty version stands for any.
 */
const FUNCTIONS = {
  hl_apt: `hl_try=0
  while :; do
    hl_apt_out=$(apt-get -qq -y "$@" 2>&1)
    hl_apt_code=$?
    hl_try=$((hl_try + 1))
    [ "$hl_apt_code" -ne 0 ] || return 0
    case $hl_apt_out in
      *'dpkg was interrupted'*) dpkg --configure -a || return 1 ;;
      *'Could not get lock'* | *'Unable to lock'*)
        [ "$hl_try" -lt ${LOCK_TRIES} ] || {
          printf 'waited %s seconds for the lock of apt\\n%s\\n' ${LOCK_TRIES * LOCK_PAUSE_SECONDS} "$hl_apt_out" >&2
          return "$hl_apt_code"
        }
        sleep ${LOCK_PAUSE_SECONDS}
        ;;
      *)
        printf '%s\\n' "$hl_apt_out" >&2
        return "$hl_apt_code"
        ;;
    esac
    [ "$hl_try" -lt ${LOCK_TRIES} ] || return 1
  done`,
  hl_read_packages: `hl_packages=$(dpkg-query -W -f='\${Package} \${db:Status-Status} \${Version};' "$@" 2>/dev/null)
  hl_packages=";$hl_packages"`,
  hl_has_package: `case $hl_packages in
    *";$1 installed $2;"*) return 0 ;;
  esac
  [ -n "$2" ] || case $hl_packages in
    *";$1 installed "*) return 0 ;;
  esac
  hl_say "package $1\${2:+ $2} is not installed"`,
};

function checkNames(names: readonly string[]): void {
  const wrong = names.find((name) => !/^[a-z0-9][a-z0-9.+-]+$/.test(name));
  if (wrong !== undefined)
    throw new HomelabError("E_ROLE_ARGS", `"${wrong}" is no name of a Debian package`, { hint: "lower-case letters, digits, and . + -" });
}

/** Debian packages that are installed; their versions are the distribution's. */
export function packages(...names: readonly string[]): Operation {
  checkNames(names);
  return {
    name: `packages ${names.join(" ")}`,
    functions: FUNCTIONS,
    // dpkg-query fails if it does not know one of the packages, but it still prints the others.
    check: [`{ hl_read_packages ${names.map(quote).join(" ")} || :; }`, ...names.map((name) => `hl_has_package ${quote(name)} ''`)],
    // Installed packages keep their version: that another package is missing is no reason to upgrade them.
    apply: ["hl_apt update", `hl_apt install --no-install-recommends --no-upgrade ${names.map(quote).join(" ")}`],
  };
}

/**
 * Packages of exactly these versions, held: neither an upgrade by hand nor unattended upgrades change them. Another version here
 * is an upgrade or a downgrade in place.
 */
export function pinnedPackages(versions: Readonly<Record<string, string>>): Operation {
  const names = Object.keys(versions);
  checkNames(names);
  const wrong = Object.entries(versions).find(([, version]) => !/^[0-9][A-Za-z0-9.+:~-]*$/.test(version));
  if (wrong !== undefined)
    throw new HomelabError("E_ROLE_ARGS", `package ${wrong[0]}: "${wrong[1]}" is no version`, { hint: "give it as apt-cache policy shows it" });
  const list = names.map(quote).join(" ");
  return {
    name: `pinned packages ${names.join(" ")}`,
    functions: FUNCTIONS,
    check: [
      `{ hl_read_packages ${list} || :; }`,
      ...Object.entries(versions).map(([name, version]) => `hl_has_package ${quote(name)} ${quote(version)}`),
      `hl_held=" $(apt-mark showhold | tr '\\n' ' ')"`,
      ...names.map((name) => `{ case $hl_held in *${quote(` ${name} `)}*) : ;; *) hl_say ${quote(`package ${name} is not held`)} ;; esac; }`),
    ],
    apply: [
      "hl_apt update",
      `hl_apt install --no-install-recommends --allow-downgrades --allow-change-held-packages ${Object.entries(versions)
        .map(([name, version]) => quote(`${name}=${version}`))
        .join(" ")}`,
      `apt-mark hold ${list} >/dev/null`,
    ],
  };
}
