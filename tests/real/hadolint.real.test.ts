/** hadolint finds nothing in any Dockerfile. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { describeReal } from "../support/real-parts";

const IMAGES = path.join(__dirname, "..", "..", "images");
const NAMES = fs.readdirSync(IMAGES, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

describeReal(["hadolint"], "hadolint", (pathOf) => {
  test.each(NAMES)("the Dockerfile of %s is clean", (name) => {
    const { stdout, status } = spawnSync(pathOf("hadolint"), ["--no-color", path.join(IMAGES, name, "Dockerfile")], { encoding: "utf8" });
    expect([status, stdout]).toEqual([0, ""]);
  });
});
