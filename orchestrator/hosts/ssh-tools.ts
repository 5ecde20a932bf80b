import { findOnPath } from "../../common/executables";

/** What `homelab ssh` runs: OpenSSH's client. @returns those that cannot be found on PATH */
export const missingSshTools = (): string[] => ["ssh", "ssh-agent", "ssh-add"].filter((program) => findOnPath(program) === undefined);
