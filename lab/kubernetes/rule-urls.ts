/** Addresses as Go's `url.ParseRequestURI` reads them, which rules of definitions ask by `isURL()` and `url()`. */

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/;

/** The scheme in small letters, or nothing. */
export const schemeOf = (text: string): string => (SCHEME.exec(text)?.[1] ?? "").toLowerCase();

/** An absolute address, or an absolute path. */
export function isUrl(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what Go refuses
  if (text === "" || text.startsWith(":") || /[\u0000-\u001f\u007f]/.test(text)) return false;
  const scheme = SCHEME.exec(text)?.[0] ?? "";
  const rest = text.slice(scheme.length);
  // What follows a scheme without a slash is not looked at.
  if (!rest.startsWith("/")) return scheme !== "";
  const [address = ""] = rest.split("?");
  const authority = scheme !== "" && address.startsWith("//") ? /^\/\/([^/]*)/.exec(address)?.[1] : undefined;
  const path = authority === undefined ? address : address.slice(authority.length + 2);
  return hasWholeEscapes(path) && (authority === undefined || isAuthority(authority));
}

const hasWholeEscapes = (text: string): boolean => !/%(?![0-9A-Fa-f]{2})/.test(text);

function isAuthority(text: string): boolean {
  const at = text.lastIndexOf("@");
  if (at >= 0 && !/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(text.slice(0, at))) return false;
  const host = text.slice(at + 1);
  if (host.startsWith("[")) return /^\[[^\]]*\](:\d*)?$/.test(host);
  return /^(?:[^\s:"<>[\]\\^`{|}%]|%[89A-Fa-f][0-9A-Fa-f])*(:\d*)?$/.test(host);
}
