/** A lab that models one homelab, used by a checkout of another homelab, or of a later version of the same. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { type LabSite, parseLabSite } from "../../common/lab-site";
import { Rehearsal } from "../support/rehearsal";

jest.setTimeout(120_000);

let rehearsal: Rehearsal;
beforeEach(() => {
  rehearsal = new Rehearsal();
});
afterEach(() => rehearsal.close());

/** The site's facts that this checkout gives to a lab. */
async function ownSite(): Promise<LabSite> {
  const { code, out, err } = await rehearsal.shell(`"${process.execPath}" bin/stacks/lab-site.js`);
  expect([code, err]).toEqual([0, ""]);
  return parseLabSite(JSON.parse(out), "bin/stacks/lab-site.js");
}

async function startLab(site: LabSite): Promise<void> {
  const file = path.join(rehearsal.dir, "given.json");
  fs.writeFileSync(file, JSON.stringify(site));
  const main = path.join(__dirname, "..", "..", "bin", "lab", "main.js");
  const ports = ["--proxy-port", "0", "--bastion-port", "0", "--control-port", "0"];
  const child = spawn(process.execPath, [main, "--dir", rehearsal.dir, "--site", file, "--latency", "zero", ...ports], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve, reject) => {
    child.stdout.once("data", resolve);
    child.once("exit", (code) => reject(new Error(`the lab ended with ${code}`)));
  });
  rehearsal.attach();
}

async function modelled(): Promise<LabSite> {
  const { control } = z.object({ control: z.string() }).parse(JSON.parse(fs.readFileSync(path.join(rehearsal.dir, "lab.json"), "utf8")));
  return parseLabSite(await (await fetch(`${control}/site`)).json(), "GET /site");
}

test("another homelab's lab is refused by every command that would build in it, with what to do", async () => {
  const site = await ownSite();
  await startLab({ ...site, domain: "example.net" });
  const said = `error: the lab of ${rehearsal.dir} holds another homelab: the domain is example.net there and ${site.domain} here
  next: stop it and remove ${rehearsal.dir} to begin with an empty homelab, or keep it and use another folder: HOMELAB_LAB_DIR=FOLDER
`;
  for (const words of [
    ["lab", "start"],
    ["up", "--lab"],
    ["preview", "--lab"],
    ["destroy", "--lab"],
  ]) {
    const { code, stderr } = await rehearsal.homelab(...words);
    expect([words[0], code, stderr]).toEqual([words[0], 1, said]);
  }
  expect(await rehearsal.writes()).toEqual([]);
  expect((await modelled()).domain).toBe("example.net");
});

test("a homelab that has grown since the lab was started is taken over", async () => {
  const site = await ownSite();
  const [first, ...others] = site.nodes;
  const names = new Set(others.map(({ name }) => name));
  const storages = site.storages.filter(({ options }) => !names.has(options["nodes"] ?? ""));
  await startLab({ ...site, nodes: first === undefined ? [] : [first], storages, images: [], stacks: [] });
  expect((await rehearsal.homelab("lab", "start")).code).toBe(0);
  expect(await modelled()).toEqual(site);
});
