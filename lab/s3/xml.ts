import { XMLParser } from "fast-xml-parser";
import { z } from "zod";
import { S3Error } from "./errors";

export const text = (value: string): string => value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** @param content XML already */
export const element = (name: string, content: string): string => `<${name}>${content}</${name}>`;

// Names of objects are texts: `0012` is no number, and a blank at an end belongs to the name. Go writes quotes as numeric references.
const parser = new XMLParser({
  ignoreAttributes: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true,
  isArray: (name) => name === "Object",
});

const deleteSchema = z.object({
  Delete: z.object({ Object: z.array(z.object({ Key: z.string().min(1), VersionId: z.string().optional() })).min(1), Quiet: z.string().optional() }),
});

/**
 * A body of DeleteObjects. `versions`: it names versions of them.
 * @throws S3Error 400 MalformedXML for what is no XML, and for a body that names no objects
 */
export function objectsToDelete(xml: string): { keys: string[]; quiet: boolean; versions: boolean } {
  const malformed = (): S3Error =>
    new S3Error(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema");
  let body: unknown;
  try {
    body = parser.parse(xml, true);
  } catch {
    throw malformed();
  }
  const found = deleteSchema.safeParse(body);
  if (!found.success) throw malformed();
  const { Object: objects, Quiet } = found.data.Delete;
  return { keys: objects.map(({ Key }) => Key), quiet: Quiet === "true", versions: objects.some(({ VersionId }) => VersionId !== undefined) };
}
