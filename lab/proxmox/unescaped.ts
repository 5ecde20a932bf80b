import { decodedPath } from "../core/decoded-path";

/** As Perl's `uri_unescape`, by which Proxmox decodes paths and keys of users: what is no escape stays as it is. */
export const unescaped = (text: string): string => text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) => decodedPath(escapes) ?? escapes);
