export { type CompiledRole, compileRole, secretInput } from "./compile";
export { K3S, type K3sRelease } from "./pins";
export { quote } from "./quote";
export { type OperationReport, parseRoleReport, type RoleReport } from "./report";
export { combineRoles, type Operation, type Role } from "./role";
export { base } from "./roles/base";
export { type K3sServerArgs, KUBECONFIG_PATH, k3sServer } from "./roles/k3s-server";
