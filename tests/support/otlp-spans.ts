/** Spans as the exporters of OpenTelemetry send them: OTLP by HTTP, in protobuf. */

/** One field of a message of protobuf (https://protobuf.dev/programming-guides/encoding): enough for texts, bytes and messages in it. */
function* fieldsOf(message: Uint8Array): Generator<[number, Uint8Array]> {
  let at = 0;
  const varint = (): number => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const [field, wire] = [key >>> 3, key & 7];
    if (wire === 0) varint();
    else if (wire === 1 || wire === 5) at += wire === 1 ? 8 : 4;
    else if (wire === 2) {
      const length = varint();
      yield [field, message.subarray(at, at + length)];
      at += length;
    } else throw new Error(`a field of the kind ${wire}`);
  }
}
const inside = (messages: Iterable<Uint8Array>, field: number): Uint8Array[] =>
  [...messages].flatMap((one) => [...fieldsOf(one)].flatMap(([of, part]) => (of === field ? [part] : [])));

export interface Span {
  readonly service: string;
  readonly trace: string;
  readonly name: string;
}
/** Numbers are of opentelemetry/proto/trace/v1/trace.proto and common/v1/common.proto. */
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
