export { type CompiledScript, compile, compileRole, type RoleMode, secretInput } from "./compile";
export { type OperationReport, parseRoleReport, type RoleReport, roleFailure } from "./report";
export { combineRoles, type Role } from "./role";
export { base } from "./roles/base";
export { KUBECONFIG_PATH, k3sServer } from "./roles/k3s-server";
