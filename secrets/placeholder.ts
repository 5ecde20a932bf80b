/** What stands where only the homelab's owner knows the value. Nothing is built with it. */
export const PLACEHOLDER = "FILL-ME-IN";
