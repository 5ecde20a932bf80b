import { HomelabError } from "./errors";

/**
 * The folder of a backend `file://…`, decoded. It may be relative, or begin with `~`.
 * @throws HomelabError E_BACKEND_URL for a path that means another folder, or none, when it is read as a URL
 */
export function backendFolder(url: string): string {
  const [encoded = ""] = url.slice("file://".length).split("?");
  const refused = (cause?: unknown): HomelabError =>
    new HomelabError("E_BACKEND_URL", `${JSON.stringify(url)} is no URL of a folder`, {
      subject: url,
      hint: "write % of its path as %25, # as %23, and a line break as %0A",
      ...(cause === undefined ? {} : { cause }),
    });
  // What follows a `#` is no part of a URL's path, and line breaks and tabs are left out of it.
  if (/[#\t\r\n]/.test(encoded)) throw refused();
  try {
    return decodeURIComponent(encoded);
  } catch (cause) {
    throw refused(cause);
  }
}
