import * as crypto from "node:crypto";
import { quote } from "../quote";
import type { Operation } from "../role";

/** Where each service's stamp lies: what it was last started with. */
const STAMPS = "/var/lib/homelab/applied";

export interface ServiceArgs {
  /** Name of the unit without `.service`. */
  name: string;
  /** All that the service reads when it starts. When it differs from the last start, the service is restarted. */
  startedWith: readonly string[];
}

/**
 * A service that runs, starts with the host, and runs with its present files. What it was started with is kept on the host, so
 * that a run that was cut between a changed file and the restart is made good by the next one.
 */
export function service({ name, startedWith }: ServiceArgs): Operation {
  const digest = crypto.createHash("sha256").update(JSON.stringify(startedWith)).digest("hex");
  const unit = quote(`${name}.service`);
  const stamp = `${STAMPS}/${name}`;
  return {
    name: `service ${name}`,
    check: [`[ "$(cat ${quote(stamp)} 2>/dev/null)" = ${digest} ]`, `systemctl is-enabled --quiet ${unit}`, `systemctl is-active --quiet ${unit}`],
    apply: [
      "systemctl daemon-reload",
      `systemctl enable ${unit}`,
      `systemctl restart ${unit}`,
      `mkdir -p ${quote(STAMPS)}`,
      `printf '%s' ${digest} > ${quote(`${stamp}.homelab-part`)}`,
      `mv -f ${quote(`${stamp}.homelab-part`)} ${quote(stamp)}`,
    ],
  };
}
