import { z } from "zod";
import { commonInputs, defineCommand } from "./command-resource";
import { CONNECTION_SECRETS, connectionSchema, fillConnection } from "./connection";
import { runRemote } from "./ssh-run";

export const remoteCommand = defineCommand({
  token: "command:remote:Command",
  inputs: z.strictObject({ ...commonInputs, connection: connectionSchema }),
  secretInputs: CONNECTION_SECRETS,
  fill: fillConnection,
  run: (command, inputs, previous, call) =>
    runRemote(
      {
        connection: inputs.connection,
        command,
        stdin: inputs.stdin,
        environment: inputs.environment ?? {},
        hopefulEnvironment: previous,
        logging: inputs.logging,
      },
      call,
    ),
});
