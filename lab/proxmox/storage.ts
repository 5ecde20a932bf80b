import { createHash } from "node:crypto";
import { FetchError, type Fetched, followFromLab } from "../core/fetch";
import { PveError, parameterError, TaskError } from "./errors";
import { contentOf, findStorage, findVolume, isOn, nodeOf, type Pve, type Storage, storageOf, type Volume } from "./model";
import { type Call, type Route, recordWrite, required, route } from "./router";
import { storageStatus } from "./storage-config";
import { startTask } from "./tasks";

function list(call: Call): unknown {
  const node = nodeOf(call.pve, required(call, "node")).name;
  const { content, storage } = call.parameters;
  return call.pve.state.storages
    .filter((s) => isOn(s, node) && (storage === undefined || s.storage === storage))
    .filter((s) => content === undefined || content.split(",").some((c) => contentOf(s).includes(c)))
    .map((s) => ({ storage: s.storage, ...storageStatus(call.pve, s, node) }));
}

function status(call: Call): unknown {
  const storage = findStorage(call.pve, required(call, "storage"));
  const node = nodeOf(call.pve, required(call, "node")).name;
  if (!isOn(storage, node)) throw new PveError(500, `storage '${storage.storage}' is not available on node '${node}'`);
  return storageStatus(call.pve, storage, node);
}

/** Where a directory keeps files of a kind. */
const FOLDERS: Readonly<Record<string, string>> = { iso: "template/iso", vztmpl: "template/cache" };
const folderOf = (storage: Storage, content: string): string => `${storage.options["path"] ?? ""}/${FOLDERS[content] ?? content}`;

const shown = (volume: Volume): Record<string, unknown> => ({
  volid: volume.volid,
  content: volume.content,
  format: volume.format,
  size: volume.size,
  ctime: volume.ctime,
  ...(volume.vmid === undefined ? {} : { vmid: volume.vmid }),
});

function contentList(call: Call): unknown {
  const node = required(call, "node");
  const storage = storageOf(call.pve, node, required(call, "storage")).storage;
  const { content, vmid } = call.parameters;
  return call.pve.state.volumes
    .filter((v) => v.node === node && v.storage === storage)
    .filter((v) => (content === undefined || v.content === content) && (vmid === undefined || String(v.vmid) === vmid))
    .map(shown);
}

/** Both `storage:path` and the bare path name a volume here. */
function volumeIn(call: Call): Volume {
  const storage = required(call, "storage");
  const name = required(call, "volume");
  storageOf(call.pve, required(call, "node"), storage);
  return findVolume(call.pve, required(call, "node"), name.includes(":") ? name : `${storage}:${name}`);
}

const EXTENSIONS: Readonly<Record<string, RegExp>> = { import: /\.(ova|ovf|qcow2|raw|vmdk)$/i, iso: /\.(iso|img)$/i, vztmpl: /\.tar\.(gz|xz|zst)$/i };

function downloadUrl(call: Call): string {
  const { pve, parameters } = call;
  const node = nodeOf(call.pve, required(call, "node")).name;
  const storage = storageOf(pve, node, required(call, "storage"));
  const { content = "", filename = "", url = "", checksum, "checksum-algorithm": algorithm } = parameters;
  if (!URL.canParse(url)) throw parameterError({ url: "value does not match the regex pattern" });
  if ((checksum === undefined) !== (algorithm === undefined))
    throw parameterError({ checksum: "missing property - 'checksum-algorithm' requires this property" });
  if (!contentOf(storage).includes(content)) throw new PveError(500, `storage '${storage.storage}' is not configured for content-type '${content}'`);
  if (!EXTENSIONS[content]?.test(filename)) throw parameterError({ filename: "wrong file extension" });
  const volid = `${storage.storage}:${content}/${filename}`;
  const file = `${folderOf(storage, content)}/${filename}`;
  return startTask(pve, { node, type: "download", id: filename, user: call.user, latency: "proxmox.download" }, async (log, guard) => {
    if (pve.state.volumes.some((v) => v.volid === volid && v.node === node)) throw new TaskError(`refusing to override existing file '${file}'`);
    log(`downloading ${url} to ${file}`);
    const { body, sha256, size } = await download(pve, node, url);
    const actual = algorithm === "sha256" || algorithm === undefined ? sha256 : createHash(algorithm).update(body).digest("hex");
    if (checksum !== undefined && checksum.toLowerCase() !== actual) throw new TaskError(`checksum mismatch: got '${actual}' != expect '${checksum}'`);
    guard();
    const format = /\.(\w+)$/.exec(filename)?.[1]?.toLowerCase() ?? "raw";
    pve.state.volumes.push({
      node,
      storage: storage.storage,
      volid,
      content: content as Volume["content"],
      format: format === "img" ? "raw" : format,
      size,
      image: { url, sha256 },
      ctime: Math.floor(pve.ctx.clock.now() / 1000),
    });
    recordWrite(call, node, "download", { volid, url });
  });
}

/** A stand-in says how large the original is. */
const sizeOf = (answer: Fetched): number => Number(answer.headers["x-lab-published-size"] ?? answer.body.length);

/** @returns the stand-in's bytes, and digest and size of the original */
async function download(pve: Pve, node: string, url: string): Promise<{ body: Buffer; sha256: string; size: number }> {
  try {
    const answer = await followFromLab(pve.ctx, node, new URL(url));
    if (answer.status !== 200) throw new TaskError(`download failed: wget: server returned error ${answer.status}`);
    const published = answer.headers["x-lab-published-sha256"];
    return {
      body: answer.body,
      size: sizeOf(answer),
      sha256: typeof published === "string" ? published : createHash("sha256").update(answer.body).digest("hex"),
    };
  } catch (error) {
    if (error instanceof FetchError) throw new TaskError(`download failed: ${error.message}`);
    throw error;
  }
}

async function queryUrl(call: Call): Promise<unknown> {
  const url = call.parameters["url"] ?? "";
  if (!URL.canParse(url)) throw parameterError({ url: "value does not match the regex pattern" });
  try {
    const answer = await followFromLab(call.pve.ctx, required(call, "node"), new URL(url));
    if (answer.status !== 200) throw new PveError(500, `invalid server response: '${answer.status}'`);
    return {
      filename: new URL(url).pathname.split("/").at(-1),
      mimetype: answer.headers["content-type"] ?? "application/octet-stream",
      size: sizeOf(answer),
    };
  } catch (error) {
    if (error instanceof FetchError) throw new PveError(500, `invalid server response: '500 Can't connect to ${new URL(url).host}'`);
    throw error;
  }
}

function remove(call: Call): string {
  const volume = volumeIn(call);
  const user = call.pve.state.vms.find((vm) => vm.node === volume.node && Object.values(vm.config).some((value) => value.split(",")[0] === volume.volid));
  if (user) throw new PveError(500, `unable to delete volume '${volume.volid}': it is used by VM ${user.vmid}`);
  return startTask(call.pve, { node: volume.node, type: "imgdel", id: volume.volid.split(":")[1] ?? "", user: call.user, latency: "proxmox.delete" }, () => {
    call.pve.state.volumes = call.pve.state.volumes.filter((v) => v !== volume);
    recordWrite(call, volume.node, "volume-delete", { volid: volume.volid });
  });
}

const STORAGE = "/nodes/{node}/storage";
export const STORAGE_ROUTES: readonly Route[] = [
  route("GET", STORAGE, ["content", "storage"], list),
  route("GET", `${STORAGE}/{storage}/status`, [], status),
  route("GET", `${STORAGE}/{storage}/content`, ["content", "vmid"], contentList),
  route("GET", `${STORAGE}/{storage}/content/{volume}`, [], (call) => {
    const volume = volumeIn(call);
    const name = volume.volid.split(":")[1] ?? "";
    return {
      path: `${folderOf(findStorage(call.pve, volume.storage), volume.content)}/${name.slice(name.indexOf("/") + 1)}`,
      format: volume.format,
      size: volume.size,
      used: volume.size,
    };
  }),
  route("DELETE", `${STORAGE}/{storage}/content/{volume}`, [], remove),
  route("POST", `${STORAGE}/{storage}/download-url`, ["content", "filename", "url", "checksum", "checksum-algorithm", "verify-certificates"], downloadUrl),
  route("GET", "/nodes/{node}/query-url-metadata", ["url", "verify-certificates"], queryUrl),
];
