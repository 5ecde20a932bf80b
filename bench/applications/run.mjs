#!/usr/bin/env node
// Measures what writes the manifests of the seven applications in three environments: one `homelab render` of them all, and 21 runs of
// `kubectl kustomize` over a base and overlays that make the same objects, by turns. The overlays are written here from what render wrote:
// generators of ConfigMaps with merge and a hash, images, patches, and a resource for what only one environment has; what kubectl makes of
// them is held against what render wrote, object by object. `homelab render` writes the demo's applications of dev as well.
// A benchmark, not a test: nothing passes or fails by time. Goals: the 21 runs take at least 3 times as long; render takes less than a
// second over `homelab help`.
//
//   node bench/applications/run.mjs [rounds]        default: 3
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createPatch } from "rfc6902";
import { parseAllDocuments, stringify } from "yaml";
import { difference, fixed, ratio, sayWhatIsLeftOut, shown, sum } from "../figures.mjs";
import { measureChild } from "../measure-child.mjs";
import { programFor, root } from "../real-cli.mjs";

const rounds = Number(process.argv[2] ?? 3);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error("give a whole number of rounds");
const ENVIRONMENTS = ["dev", "stg", "prod"];
const HOMELAB = path.join(root, "orchestrator", "bin", "homelab");

const keyOf = ({ kind, metadata }) => `${kind} ${metadata.name}`;
const isConfig = ({ kind }) => kind === "ConfigMap";
const write = (file, value) => {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, Array.isArray(value) ? value.map((one) => stringify(one)).join("---\n") : stringify(value));
};

/** Without the digest in its ConfigMap's name, which each program makes in its own way. */
function withoutDigest(objects) {
  const config = objects.find(isConfig)?.metadata.name;
  return config === undefined ? objects : JSON.parse(JSON.stringify(objects).replaceAll(config, config.replace(/-[^-]+$/, "")));
}

const read = (text) => withoutDigest(parseAllDocuments(text).map((document) => document.toJS()));

const literals = (data) => Object.entries(data).map(([key, value]) => `${key}=${value}`);
const KUSTOMIZATION = { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization" };

/** The base names each image without the tag and digest that the environments set. */
function imagesOf(objects) {
  const text = JSON.stringify(objects);
  return [...new Set([...text.matchAll(/"image":"([^"]+)"/g)].map(([, image]) => image))].map((image) => {
    const [, name, tag, digest] = /^(.+?)(?::([^:@/]+))?(?:@(.+))?$/.exec(image);
    return { name, ...(tag === undefined ? {} : { newTag: tag }), ...(digest === undefined ? {} : { digest }) };
  });
}

/** One application: `base/`, and a folder for each environment. @param byEnvironment its objects */
function writeOverlays(folder, byEnvironment) {
  const all = Object.values(byEnvironment);
  const everywhere = byEnvironment.prod.filter((object) => !isConfig(object) && all.every((objects) => objects.some((one) => keyOf(one) === keyOf(object))));
  const images = imagesOf(all.flat());
  const bare = images.reduce((text, { name, newTag, digest }) => {
    const image = `${name}${newTag === undefined ? "" : `:${newTag}`}${digest === undefined ? "" : `@${digest}`}`;
    return text.replaceAll(`"image":"${image}"`, `"image":"${name}"`);
  }, JSON.stringify(everywhere));
  const config = byEnvironment.prod.find(isConfig);
  const generator = config === undefined ? undefined : { name: config.metadata.name, namespace: config.metadata.namespace };
  const { labels, annotations } = config?.metadata ?? {};
  write(path.join(folder, "base", "objects.yaml"), JSON.parse(bare));
  write(path.join(folder, "base", "kustomization.yaml"), {
    ...KUSTOMIZATION,
    resources: ["objects.yaml"],
    ...(generator === undefined ? {} : { configMapGenerator: [{ ...generator, literals: ["LOG_LEVEL=INFO"], options: { labels, annotations } }] }),
  });
  for (const [environment, objects] of Object.entries(byEnvironment)) {
    const overlay = path.join(folder, environment);
    const own = objects.filter((object) => !isConfig(object) && !everywhere.some((one) => keyOf(one) === keyOf(object)));
    const patches = everywhere.flatMap((object) => {
      const patch = createPatch(
        object,
        objects.find((one) => keyOf(one) === keyOf(object)),
      ).filter((step) => !step.path.endsWith("/image"));
      return patch.length === 0 ? [] : [{ target: { kind: object.kind, name: object.metadata.name }, patch: JSON.stringify(patch) }];
    });
    const data = objects.find(isConfig)?.data;
    if (own.length > 0) write(path.join(overlay, "own.yaml"), own);
    write(path.join(overlay, "kustomization.yaml"), {
      ...KUSTOMIZATION,
      resources: ["../base", ...(own.length > 0 ? ["own.yaml"] : [])],
      images: imagesOf(objects),
      ...(data === undefined ? {} : { configMapGenerator: [{ ...generator, behavior: "merge", literals: literals(data) }] }),
      ...(patches.length > 0 ? { patches } : {}),
    });
  }
}

const sorted = (objects) => objects.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Runs each command to its end, one after the other. */
async function inTurn(commands) {
  const runs = [];
  for (const [file, ...args] of commands) {
    runs.push(await measureChild(file, args, { cwd: root, env: process.env }));
  }
  return { seconds: sum(runs.map(({ seconds }) => seconds)), cpu: sum(runs.map(({ cpu }) => cpu)) };
}

sayWhatIsLeftOut();
const kubectl = programFor("kubectl");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bench-applications-"));
try {
  let made = 0;
  /** Into a folder that is not there, so that each file is written. */
  const render = () => [[process.execPath, HOMELAB, "render", ...ENVIRONMENTS, "--out", path.join(folder, `out-${made}`)]];
  await inTurn(render());
  const rendered = path.join(folder, "out-0");
  const apps = fs
    .readdirSync(path.join(rendered, "prod"), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() && entry.name !== "argo-cd" ? [entry.name] : []));
  const objectsOf = (environment, app) => read(fs.readFileSync(path.join(rendered, environment, app, "manifests.yaml"), "utf8"));
  for (const app of apps)
    writeOverlays(path.join(folder, "overlays", app), Object.fromEntries(ENVIRONMENTS.map((environment) => [environment, objectsOf(environment, app)])));
  const overlays = ENVIRONMENTS.flatMap((environment) => apps.map((app) => ({ environment, app, folder: path.join(folder, "overlays", app, environment) })));

  const steps = {
    "homelab help": () => inTurn([[process.execPath, HOMELAB, "help"]]),
    "homelab render": () => inTurn(render()),
  };
  if (kubectl !== undefined) {
    for (const { environment, app, folder: overlay } of overlays) {
      const file = path.join(folder, "built.yaml");
      await inTurn([[kubectl, "kustomize", overlay, "--output", file]]);
      assert.deepEqual(
        sorted(read(fs.readFileSync(file, "utf8"))),
        sorted(objectsOf(environment, app)),
        `${environment}/${app}: kustomize makes other objects`,
      );
    }
    steps["kubectl kustomize"] = () => inTurn(overlays.map(({ folder: overlay }) => [kubectl, "kustomize", overlay]));
  }
  const found = Object.fromEntries(Object.keys(steps).map((name) => [name, { seconds: [], cpu: [] }]));
  for (let round = 0; round < rounds; round++)
    for (const [name, step] of Object.entries(steps)) {
      made++;
      const { seconds, cpu } = await step();
      found[name].seconds.push(seconds);
      found[name].cpu.push(cpu);
    }
  const of = (name) => ({ seconds: median(found[name].seconds), cpu: median(found[name].cpu) });
  const runs = { "homelab help": 1, "homelab render": 1, "kubectl kustomize": overlays.length };
  for (const name of Object.keys(steps))
    console.log(
      `${String(runs[name]).padStart(3)} × ${name.padEnd(18)} ${fixed(of(name).seconds, 2, 6)} s wall${shown(of(name).cpu, (s) => ` ${fixed(s, 2, 6)} s cpu`)}`,
    );
  const [bare, ours] = [of("homelab help"), of("homelab render")];
  console.log(
    `render over the bare start: ${fixed(ours.seconds - bare.seconds, 2)} s wall${shown(difference(ours.cpu, bare.cpu), (s) => `, ${fixed(s, 2)} s cpu`)}, of ${overlays.length} app-environments`,
  );
  if (kubectl === undefined) console.log("kubectl is not there, so nothing was compared: make real-parts PARTS=kubectl");
  else {
    const theirs = of("kubectl kustomize");
    console.log(
      `kustomize by render: ${fixed(theirs.seconds / ours.seconds, 2)} of wall${shown(ratio(theirs.cpu, ours.cpu), (times) => `, ${fixed(times, 2)} of cpu`)}`,
    );
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
