export { BASTION_USER, startBastion } from "./bastion";
export { startConnectProxy } from "./connect-proxy";
