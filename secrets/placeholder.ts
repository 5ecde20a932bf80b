/** The value of a secret that only the homelab's owner knows and has not filled in yet. Nothing is built with it. */
export const PLACEHOLDER = "FILL-ME-IN";
