/** What the tests of engines that stay have in common (engine/serve.ts). */
import * as path from "node:path";
import { systemClock } from "../../common/clock";

/** Looks every 20 ms. */
export async function until(holds: () => boolean, mostLooks: number): Promise<void> {
  for (let looks = 0; looks < mostLooks; looks++) {
    if (holds()) return;
    await systemClock.sleep(20);
  }
  throw new Error("it did not come to hold");
}

/** All of the environment of a command. @param folder has the folders `home` and `state` */
export const engineEnvironment = (folder: string, more: Readonly<Record<string, string>>): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  HOME: path.join(folder, "home"),
  PULUMI_HOME: path.join(folder, "home"),
  PULUMI_BACKEND_URL: `file://${folder}/state`,
  PULUMI_CONFIG_PASSPHRASE: "test",
  PULUMI_SKIP_UPDATE_CHECK: "true",
  ...more,
});
