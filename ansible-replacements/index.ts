export { compileRole, secretInput } from "./compile";
export { parseRoleReport } from "./report";
export { combineRoles, type Role } from "./role";
export { base } from "./roles/base";
export { KUBECONFIG_PATH, k3sServer } from "./roles/k3s-server";
