import type { ProviderDefinition } from "../sdk/resource";
import { sdkVersion } from "../sdk/version";
import { localCommand } from "./local-command";
import { remoteCommand } from "./remote-command";

const RESOURCES = new Map([localCommand, remoteCommand].map((resource) => [resource.token, resource]));

/** Package `command`: commands on this machine and over SSH. It has no configuration. */
export const provider: ProviderDefinition = {
  name: "command",
  version: sdkVersion("@pulumi/command"),
  configure: async () => ({}),
  tokens: [...RESOURCES.keys()],
  resource: (token) => RESOURCES.get(token),
};
