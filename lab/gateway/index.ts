export { BASTION_USER, type Bastion, startBastion } from "./bastion";
export { type ConnectProxy, startConnectProxy } from "./connect-proxy";
