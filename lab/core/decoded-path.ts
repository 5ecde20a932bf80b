/** A request's path, or a part of it, without its encoding. @returns undefined for what is no encoding: each server refuses it in words of its own */
export function decodedPath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
