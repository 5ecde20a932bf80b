/** Frames of HTTP/2 (RFC 9113, sections 4 and 6): what a connection's bytes are made of. */

export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, window: 8, continuation: 9 } as const;
export const FLAG = { end: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;
export const SETTING = { push: 2, streams: 3, window: 4 } as const;
/** Codes of RST_STREAM and GOAWAY. */
export const CODE = {
  none: 0,
  protocol: 1,
  flowControl: 3,
  frameSize: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  calm: 11,
} as const;

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** The largest payload that a side must take, and the window with which every connection and stream begins, until it says otherwise. */
export const FRAME_SIZE = 16_384;
export const FIRST_WINDOW = 65_535;
export const LARGEST_WINDOW = 2 ** 31 - 1;
const HEAD = 9;

/** The other side broke the protocol: the connection cannot go on. */
export class ConnectionFault extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
    this.name = "ConnectionFault";
  }
}

export interface Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
}

export function encodeFrame({ type, flags, stream, payload }: Frame): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, HEAD);
  return bytes;
}

export function number32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The payload of SETTINGS. */
export function encodeSettings(settings: readonly (readonly [setting: number, value: number])[]): Buffer {
  const bytes = Buffer.allocUnsafe(6 * settings.length);
  for (const [at, [setting, value]] of settings.entries()) {
    bytes.writeUInt16BE(setting, 6 * at);
    bytes.writeUInt32BE(value, 6 * at + 2);
  }
  return bytes;
}

/** Cuts a connection's bytes into frames, however they come. */
export class FrameReader {
  #rest: Buffer | undefined;

  /** @throws ConnectionFault for a frame that is larger than was agreed on */
  *frames(chunk: Buffer): Generator<Frame> {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    let at = 0;
    while (bytes.length - at >= HEAD) {
      const size = bytes.readUIntBE(at, 3);
      if (size > FRAME_SIZE) throw new ConnectionFault(CODE.frameSize, `a frame of ${size} bytes`);
      const end = at + HEAD + size;
      if (end > bytes.length) break;
      const stream = bytes.readUInt32BE(at + 5) & LARGEST_WINDOW;
      yield { type: bytes[at + 3] ?? 0, flags: bytes[at + 4] ?? 0, stream, payload: bytes.subarray(at + HEAD, end) };
      at = end;
    }
    if (at < bytes.length) this.#rest = bytes.subarray(at);
  }
}

/** The payload of DATA or HEADERS without its padding, and HEADERS without its priority. @throws ConnectionFault */
export function contentOf({ type, flags, payload }: Frame): Buffer {
  if (!(flags & (FLAG.padded | FLAG.priority))) return payload;
  const isPadded = (flags & FLAG.padded) !== 0;
  const from = (isPadded ? 1 : 0) + (type === FRAME.headers && flags & FLAG.priority ? 5 : 0);
  const to = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
  if (from > to) throw new ConnectionFault(CODE.protocol, "a frame has more padding than it has room for");
  return payload.subarray(from, to);
}
