/** The provider as a plugin of its own: `main` of this folder's package.json. */
import { asError } from "../../common/errors";
import { runPlugin } from "../sdk/plugin";
import { provider } from "./provider";

runPlugin(provider).catch((thrown: unknown) => {
  process.stderr.write(`${asError(thrown).stack}\n`);
  process.exitCode = 1;
});
