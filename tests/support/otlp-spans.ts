/** Reads spans from what OpenTelemetry's exporters send: OTLP over HTTP, in protobuf. */
import { BinaryReader } from "google-protobuf";

/** The fields of a message that are texts, bytes or messages, each with its number. */
function* fieldsOf(message: Uint8Array): Generator<[number, Uint8Array]> {
  const reader = new BinaryReader(message);
  while (reader.nextField()) {
    if (reader.isDelimited()) yield [reader.getFieldNumber(), reader.readBytes()];
    else reader.skipField();
  }
}
const inside = (messages: Iterable<Uint8Array>, field: number): Uint8Array[] =>
  [...messages].flatMap((one) => [...fieldsOf(one)].flatMap(([of, part]) => (of === field ? [part] : [])));

export interface Span {
  readonly service: string;
  readonly trace: string;
  readonly name: string;
}
/** The field numbers are those of opentelemetry/proto/trace/v1/trace.proto and common/v1/common.proto. */
export function spansOf(body: Uint8Array): Span[] {
  return inside([body], 1).flatMap((resourceSpans) => {
    const attributes = inside(inside([resourceSpans], 1), 1).map((pair) =>
      [inside([pair], 1), inside(inside([pair], 2), 1)].map(([part]) => Buffer.from(part ?? []).toString()),
    );
    const service = attributes.find(([key]) => key === "service.name")?.[1] ?? "";
    return inside(inside([resourceSpans], 2), 2).map((span) => ({
      service,
      trace: Buffer.from(inside([span], 1)[0] ?? []).toString("hex"),
      name: Buffer.from(inside([span], 5)[0] ?? []).toString(),
    }));
  });
}
