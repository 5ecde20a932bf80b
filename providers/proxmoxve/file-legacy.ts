/** proxmoxve:download/fileLegacy:FileLegacy: a file that a node downloads into one of its datastores. The id is its volume. */
import { withinTime } from "../../common/deadline";
import { asError, HomelabError } from "../../common/errors";
import { defineBridged } from "../sdk/bridged";
import { bool, num, str } from "../sdk/schema";
import { isUnanswered } from "../sdk/unanswered";
import type { JsonObject } from "../sdk/values";
import { asRecord, type PveClient, PveError } from "./client";

const oneOf =
  (...values: string[]) =>
  (value: unknown) =>
    values.includes(String(value)) ? undefined : `must be one of ${values.join(", ")}`;
const text = (value: JsonObject[string] | undefined): string => (typeof value === "string" ? value : "");
const place = (inputs: JsonObject): string => `nodes/${text(inputs["nodeName"])}/storage/${text(inputs["datastoreId"])}`;
const DEFAULTS: JsonObject = { overwrite: true, overwriteUnmanaged: false, uploadTimeout: 600, verify: true };
/** A datastore on several hosts may list a new file a moment late. */
const LIST_ATTEMPTS = 5;

async function fileName(inputs: JsonObject, client: PveClient, signal: AbortSignal): Promise<string> {
  const given = text(inputs["fileName"]);
  if (given !== "") return given;
  const answer = asRecord(
    await client.request("GET", `nodes/${text(inputs["nodeName"])}/query-url-metadata`, signal, {
      url: text(inputs["url"]),
      "verify-certificates": inputs["verify"] !== false,
    }),
  );
  const found = text(answer["filename"]);
  if (found === "") throw new HomelabError("E_FILE_NAME", `${text(inputs["url"])} has no file name`, { hint: "give fileName" });
  return found;
}

/** How long it may take to stop an abandoned download. */
const STOP_MS = 10_000;

async function download(inputs: JsonObject, name: string, client: PveClient, signal: AbortSignal): Promise<void> {
  const optional = (key: string): string | undefined => text(inputs[key]) || undefined;
  const params = {
    content: text(inputs["contentType"]),
    filename: name,
    url: text(inputs["url"]),
    checksum: optional("checksum"),
    "checksum-algorithm": optional("checksumAlgorithm"),
    compression: optional("decompressionAlgorithm"),
    "verify-certificates": inputs["verify"] !== false,
  };
  let upid: string | undefined;
  try {
    await client.task("POST", `${place(inputs)}/download-url`, signal, params, (started) => {
      upid = started;
    });
  } catch (thrown) {
    // Otherwise the node goes on, and its file would be in the way of the next run.
    if (signal.aborted || isUnanswered(thrown)) await stopDownload(inputs, name, upid, client, thrown);
    throw thrown;
  }
}

/** @param upid undefined: the answer with it was lost. @throws HomelabError if the download could not be stopped */
async function stopDownload(inputs: JsonObject, name: string, upid: string | undefined, client: PveClient, thrown: unknown): Promise<void> {
  const signal = AbortSignal.timeout(STOP_MS);
  try {
    for (const task of upid === undefined ? await runningDownloads(inputs, name, client, signal) : [upid]) await client.stopTask(task, signal);
  } catch (cause) {
    throw new HomelabError(
      "E_PROXMOX_TIMEOUT",
      `${asError(thrown).message}; ${text(inputs["nodeName"])} may go on downloading ${name}, since it could not be stopped: ${asError(cause).message}`,
      { cause: thrown, subject: text(inputs["nodeName"]), hint: "stop the task in Proxmox and delete the file, or import it once it is there" },
    );
  }
}

/** Tasks that download this very URL to a file of this name. */
async function runningDownloads(inputs: JsonObject, name: string, client: PveClient, signal: AbortSignal): Promise<string[]> {
  const tasks = `nodes/${text(inputs["nodeName"])}/tasks`;
  const active = await client.request("GET", tasks, signal, { source: "active", typefilter: "download" });
  const found: string[] = [];
  for (const task of (Array.isArray(active) ? active : []).map(asRecord)) {
    // What is listed as active may have ended a moment ago.
    if (task["id"] !== name || task["endtime"] !== undefined) continue;
    const log = await client.request("GET", `${tasks}/${encodeURIComponent(text(task["upid"]))}/log`, signal, { limit: 20 });
    const lines = (Array.isArray(log) ? log : []).map((line) => String(asRecord(line)["t"] ?? ""));
    if (lines.some((line) => line.includes(`downloading ${text(inputs["url"])} to `))) found.push(text(task["upid"]));
  }
  return found;
}

const existsAlready = (thrown: unknown): boolean => thrown instanceof Error && /refusing to override existing file/.test(thrown.message);

async function removeFile(outputs: JsonObject, volume: string, client: PveClient, signal: AbortSignal): Promise<void> {
  try {
    await client.task("DELETE", `${place(outputs)}/content/${encodeURIComponent(volume)}`, signal);
  } catch (thrown) {
    if (!(thrown instanceof PveError && (thrown.missing || /unable to parse/.test(thrown.detail)))) throw thrown;
  }
}

/** Size in bytes, or undefined where the datastore has no such volume. */
async function sizeOf(volume: string, outputs: JsonObject, client: PveClient, signal: AbortSignal): Promise<number | undefined> {
  const content = text(outputs["contentType"]) || volume.split(":")[1]?.split("/")[0];
  const files = await client.request("GET", `${place(outputs)}/content`, signal, { content });
  const found = (Array.isArray(files) ? files : []).map(asRecord).find((file) => file["volid"] === volume);
  return found === undefined ? undefined : Number(found["size"] ?? 0);
}

/** `pve1/local:import/a.qcow2` in an import, the volume alone otherwise. */
function partsOf(id: string): { node: string | undefined; volume: string } {
  const [, node, volume = id] = /^([^/:]+)\/(.+:.+)$/.exec(id) ?? [];
  return { node, volume };
}

const downloadTimeout = (inputs: JsonObject, seconds: number): HomelabError =>
  new HomelabError("E_PROXMOX_TIMEOUT", `${text(inputs["nodeName"])} did not download ${text(inputs["url"])} within ${seconds} s (uploadTimeout)`, {
    subject: text(inputs["nodeName"]),
    hint: "see in Proxmox whether the node reaches the URL, or raise uploadTimeout",
  });

async function downloaded(inputs: JsonObject, client: PveClient, signal: AbortSignal): Promise<{ id: string; outputs: JsonObject }> {
  const name = await fileName(inputs, client, signal);
  const volume = `${text(inputs["datastoreId"])}:${text(inputs["contentType"])}/${name}`;
  try {
    await download(inputs, name, client, signal);
  } catch (thrown) {
    if (!existsAlready(thrown)) throw thrown;
    if (inputs["overwriteUnmanaged"] !== true) {
      throw new HomelabError("E_FILE_EXISTS", `${volume} is on ${text(inputs["nodeName"])} already, and was not made by this stack`, {
        cause: thrown,
        hint: "delete it, import it, or set overwriteUnmanaged",
      });
    }
    await removeFile(inputs, volume, client, signal);
    await download(inputs, name, client, signal);
  }
  return { id: volume, outputs: { ...DEFAULTS, ...inputs, fileName: name } };
}

export const fileLegacy = defineBridged<PveClient>({
  token: "proxmoxve:download/fileLegacy:FileLegacy",
  fields: {
    contentType: str({ required: true, replace: true, validate: oneOf("iso", "vztmpl", "import") }),
    datastoreId: str({ required: true, replace: true }),
    nodeName: str({ required: true, replace: true }),
    url: str({ required: true, replace: true, validate: (url) => (/^https?:\/\//.test(String(url)) ? undefined : "must be an http or https URL") }),
    fileName: str({ replace: true, computed: true }),
    checksum: str({ replace: true }),
    checksumAlgorithm: str({ replace: true, validate: oneOf("md5", "sha1", "sha224", "sha256", "sha384", "sha512") }),
    decompressionAlgorithm: str({ replace: true, validate: oneOf("gz", "lzo", "zst", "bz2") }),
    overwrite: bool({ computed: true }),
    overwriteUnmanaged: bool({ computed: true }),
    uploadTimeout: num({ computed: true }),
    verify: bool({ computed: true }),
  },
  computed: ["fileName", "size"],
  idOf: (inputs) =>
    inputs["fileName"] === undefined ? undefined : `${text(inputs["datastoreId"])}:${text(inputs["contentType"])}/${text(inputs["fileName"])}`,
  async create(inputs, call) {
    const seconds = Number(inputs["uploadTimeout"] ?? DEFAULTS["uploadTimeout"]);
    const work = (signal: AbortSignal) => downloaded(inputs, call.provider, signal);
    return withinTime(call.signal, seconds * 1000, () => downloadTimeout(inputs, seconds), work);
  },
  canonicalId: (id) => partsOf(id).volume,
  async read(id, known, call) {
    const { node, volume } = partsOf(id);
    const [datastoreId = "", path = ""] = volume.split(":");
    // After an interrupted creation only the inputs are known: the defaults are those of the creation.
    const given = "url" in known ? DEFAULTS : {};
    const where: JsonObject = { ...given, datastoreId, contentType: path.split("/")[0] ?? "", ...(node === undefined ? {} : { nodeName: node }), ...known };
    for (let attempt = 1; ; attempt++) {
      const size = await sizeOf(volume, where, call.provider, call.signal);
      if (size !== undefined) return { ...where, fileName: path.slice(path.indexOf("/") + 1), size };
      // A state that knows a size is of a file that was there: no reason to wait for it.
      if ("size" in known || attempt >= LIST_ATTEMPTS) return undefined;
      let looks = 0;
      await call.provider.poll(call.signal, async () => (looks++ > 0 ? true : undefined));
    }
  },
  // Inputs that change without a replacement only matter for the next download.
  update: async () => undefined,
  delete: (id, outputs, call) => removeFile(outputs, id, call.provider, call.signal),
});
