import { quote } from "../quote";
import type { Operation } from "../role";

/** Seconds that apt waits for another process's lock (unattended upgrades run right after the first boot). */
const LOCK_SECONDS = 300;

/** Debian packages that are installed; their versions are the distribution's. */
export function packages(...names: readonly string[]): Operation {
  const apt = `env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=${LOCK_SECONDS}`;
  return {
    name: `packages ${names.join(" ")}`,
    check: names.map((name) => `[ "$(dpkg-query -W -f='\${db:Status-Status}' ${quote(name)} 2>/dev/null)" = installed ]`),
    apply: [`${apt} update`, `${apt} install --no-install-recommends ${names.map(quote).join(" ")}`],
  };
}
