import { InvalidRequestError } from '../protocol-error.ts';

/** The four values in front of a request's body, and where the body starts. */
export interface RequestHead {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  readonly bodyOffset: number;
}

/** An array of five: API key, version, correlation id, client id, body. */
const ARRAY_OF_FIVE = 0x95;

class HeadReader {
  private readonly frame: Buffer;
  position = 1;

  constructor(frame: Buffer) {
    this.frame = frame;
  }

  private take(size: number): number {
    const at = this.position;
    if (at + size > this.frame.length) throw new InvalidRequestError(`The request ends inside its header`);
    this.position = at + size;
    return at;
  }

  /** An integer of any width, as long as it is within the bounds. */
  integer(min: number, max: number): number {
    const value = this.anyInteger();
    if (value < min || value > max) throw new InvalidRequestError(`${value} in a request's header`);
    return value;
  }

  private anyInteger(): number {
    const { frame } = this;
    const marker = frame.readUInt8(this.take(1));
    if (marker < 0x80) return marker;
    if (marker >= 0xe0) return marker - 0x100;
    switch (marker) {
      case 0xcc:
        return frame.readUInt8(this.take(1));
      case 0xcd:
        return frame.readUInt16BE(this.take(2));
      case 0xce:
        return frame.readUInt32BE(this.take(4));
      case 0xd0:
        return frame.readInt8(this.take(1));
      case 0xd1:
        return frame.readInt16BE(this.take(2));
      case 0xd2:
        return frame.readInt32BE(this.take(4));
      default:
        throw new InvalidRequestError(`The marker 0x${marker.toString(16)} where an integer must be`);
    }
  }

  nullableString(): string | null {
    const marker = this.frame.readUInt8(this.take(1));
    if (marker === 0xc0) return null;
    const length = this.stringLength(marker);
    const at = this.take(length);
    return this.frame.toString('utf8', at, at + length);
  }

  private stringLength(marker: number): number {
    if (marker >= 0xa0 && marker < 0xc0) return marker - 0xa0;
    if (marker === 0xd9) return this.frame.readUInt8(this.take(1));
    if (marker === 0xda) return this.frame.readUInt16BE(this.take(2));
    throw new InvalidRequestError(`The marker 0x${marker.toString(16)} where a string or nil must be`);
  }
}

/** Reads what stands in front of the body, and not the body. @throws InvalidRequestError */
export function readRequestHead(frame: Buffer): RequestHead {
  if (frame[0] !== ARRAY_OF_FIVE) throw new InvalidRequestError('A request is an array of five values');
  const reader = new HeadReader(frame);
  const apiKey = reader.integer(-0x8000, 0x7fff);
  const apiVersion = reader.integer(-0x8000, 0x7fff);
  const correlationId = reader.integer(-0x8000_0000, 0x7fff_ffff);
  const clientId = reader.nullableString();
  return { apiKey, apiVersion, correlationId, clientId, bodyOffset: reader.position };
}
