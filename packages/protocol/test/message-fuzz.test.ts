import { describe, expect, it } from '@jest/globals';
import { nextInt, SeededRandom } from '@klassic/common';
import {
  apis,
  decodeMessage,
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponseFrame,
  encodeMessage,
  encodeRequestFrame,
  encodeResponseFrame,
  Int64RangeError,
  ProtocolError,
  UnencodableValueError,
  UnsupportedVersionError,
} from '../src/index.ts';
import type { ApiName, Codec } from '../src/index.ts';
import * as messages from '../src/messages/index.ts';
import type { Field, Schema, Struct } from '../src/schema/index.ts';
import { layoutOf } from '../src/schema/layout.ts';

const SEED = Number(process.env['KLASSIC_SEED'] ?? 20261121);
const schemas: readonly Schema[] = Object.values(messages);
const names = Object.keys(apis) as ApiName[];

type Body = Record<string, unknown>;

/** Bodies with any value a version can hold. */
class Bodies {
  private readonly random: SeededRandom;

  constructor(random: SeededRandom) {
    this.random = random;
  }

  below(bound: number): number {
    return nextInt(this.random, bound);
  }

  body(struct: Struct, version: number, flexible: boolean): Body {
    const body: Body = {};
    const { all, present } = layoutOf(struct, version);
    for (const slot of all) {
      if (present.includes(slot)) body[slot.name] = this.value(slot.field, slot.nullable, version, flexible);
    }
    if (flexible && this.below(10) === 0) {
      body['unknownTaggedFields'] = [{ tag: 1000 + this.below(100), data: this.bytes(40) }];
    }
    return body;
  }

  private value(field: Field, nullable: boolean, version: number, flexible: boolean): unknown {
    if (nullable && this.below(6) === 0) return null;
    if (!field.array) return this.scalar(field, version, flexible);
    return Array.from({ length: this.below(4) }, () => this.scalar(field, version, flexible));
  }

  private integer(bits: number): number {
    const edge = [0, 1, -1, 2 ** (bits - 1) - 1, bits === 54 ? -(2 ** 53 - 1) : -(2 ** (bits - 1))];
    if (this.below(3) === 0) return edge[this.below(edge.length)]! + 0;
    return Math.floor((this.random.next() - 0.5) * 2 ** (bits - 1));
  }

  private bytes(bound: number): Buffer {
    return Buffer.from(Array.from({ length: this.below(bound) }, () => this.below(256)));
  }

  private text(): string {
    const alphabet = ['a', 'Z', '0', '.', 'é', 'グ', '😀', '\u0000'];
    const length = this.below(20) === 0 ? this.below(400) : this.below(20);
    return Array.from({ length }, () => alphabet[this.below(alphabet.length)]).join('');
  }

  private scalar({ type }: Field, version: number, flexible: boolean): unknown {
    if (typeof type !== 'string') return this.body(type, version, flexible);
    switch (type) {
      case 'bool':
        return this.below(2) === 1;
      case 'int8':
        return this.integer(8);
      case 'int16':
        return this.integer(16);
      case 'uint16':
        return this.below(0x1_0000);
      case 'int32':
        return this.integer(32);
      case 'int64':
        return this.integer(54);
      case 'float64':
        return this.random.next() * 1e9;
      case 'uuid':
        return Buffer.from(Array.from({ length: 16 }, () => this.below(256))).toString('base64url');
      case 'string':
        return this.text();
      case 'bytes':
        return this.bytes(60);
      case 'records':
        return this.below(8) === 0 ? Buffer.alloc(4090 + this.below(20), 5) : this.bytes(60);
    }
  }
}

/** Both directions of one API in one codec; returns the frame without its size. */
function roundTrip(codec: Codec, api: ApiName, version: number, kind: 'request' | 'response', body: Body): Buffer {
  if (kind === 'request') {
    const frame = Buffer.concat(encodeRequestFrame(codec, api, version, 77, 'client', body)).subarray(4);
    expect(decodeRequestBody(codec, frame, decodeRequestHeader(codec, frame))).toMatchObject(body);
    return frame;
  }
  const frame = Buffer.concat(encodeResponseFrame(codec, api, version, -77, body)).subarray(4);
  expect(decodeResponseFrame(codec, api, version, frame)).toMatchObject({ correlationId: -77, body });
  return frame;
}

function mutated(frame: Buffer, bodies: Bodies): Buffer {
  const bytes = Buffer.from(frame);
  for (let n = 1 + bodies.below(4); n > 0 && bytes.length > 0; n--) {
    const at = bodies.below(bytes.length);
    const kind = bodies.below(4);
    if (kind === 0) bytes[at] = 0xff;
    else if (kind === 1) bytes[at] = bodies.below(256);
    else if (kind === 2) bytes.fill(bodies.below(2) === 0 ? 0x7f : 0x80, at, Math.min(bytes.length, at + 4));
    else return bytes.subarray(0, at);
  }
  return bytes;
}

function decodes(codec: Codec, api: ApiName, version: number, kind: 'request' | 'response', frame: Buffer): unknown {
  if (kind === 'response') return decodeResponseFrame(codec, api, version, frame);
  return decodeRequestBody(codec, frame, decodeRequestHeader(codec, frame));
}

describe(`messages of any content (seed ${SEED})`, () => {
  it('come back as they were from both codecs, and damaged ones end in a typed error', () => {
    const bodies = new Bodies(new SeededRandom(SEED));
    let refused = 0;
    for (const api of names) {
      for (const kind of ['request', 'response'] as const) {
        const schema: Schema = apis[api][kind];
        for (let { min: version } = schema.versions; version <= schema.versions.max; version++) {
          const body = bodies.body(schema.body, version, version >= schema.flexible.min && schema.flexible.max > 0);
          for (const codec of ['kafka', 'msgpack'] as const) {
            const frame = roundTrip(codec, api, version, kind, body);
            for (let n = 0; n < 12; n++) {
              try {
                decodes(codec, api, version, kind, mutated(frame, bodies));
              } catch (error) {
                if (!(error instanceof ProtocolError)) throw error;
                refused++;
              }
            }
          }
        }
      }
    }
    expect(refused).toBeGreaterThan(1000);
  });

  it('of arbitrary bytes end in a typed error or a body', () => {
    const random = new SeededRandom(SEED + 1);
    for (let n = 0; n < 20_000; n++) {
      const bytes = Buffer.from(Array.from({ length: nextInt(random, 80) }, () => nextInt(random, 256)));
      if (n % 2 === 0 && bytes.length > 4) bytes.set([0, nextInt(random, 65), 0, nextInt(random, 13)]);
      const schema = schemas[n % schemas.length]!;
      for (const attempt of [
        () => decodeMessage(schema, schema.versions.max, bytes),
        () => decodes('kafka', 'Fetch', 11, 'request', bytes),
        () => decodes('msgpack', 'Fetch', 11, 'request', Buffer.concat([Buffer.from([0x95, 1, 11, 5, 0xc0]), bytes])),
        () => decodes('msgpack', 'Metadata', 9, 'response', bytes),
      ]) {
        try {
          attempt();
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
        }
      }
    }
  });

  it('cannot ask for more memory than their bytes warrant', () => {
    const before = process.memoryUsage().heapUsed;
    // Metadata v0: an array that says it has 2^31-1 topics; msgpack: arrays of 2^32-1 and 2^16-1.
    expect(() => decodeMessage(messages.MetadataRequest, 0, Buffer.from('7fffffff', 'hex'))).toThrow(ProtocolError);
    expect(() => decodeMessage(messages.MetadataRequest, 9, Buffer.from('ffffffff0f', 'hex'))).toThrow(ProtocolError);
    for (const hex of ['ddffffffff', 'dd0fffffff', 'dcffffdcffffdcffff', 'c6ffffffff', 'dfffffffff', 'c9ffffffff01']) {
      expect(() => decodes('msgpack', 'Metadata', 9, 'response', Buffer.from(hex, 'hex'))).toThrow(ProtocolError);
    }
    const deep = Buffer.alloc(200_000, 0x91);
    expect(() => decodes('msgpack', 'Metadata', 9, 'response', deep)).toThrow(ProtocolError);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50_000_000);
  });
});

describe('values that cannot be written', () => {
  it.each(['kafka', 'msgpack'] as const)('are refused with a typed error: %s', (codec) => {
    const encode = (version: number, body: object) => () =>
      encodeResponseFrame(codec, 'Fetch', version, 1, body as Body);
    expect(encode(11, { errorCode: 70_000 })).toThrow(UnencodableValueError);
    expect(encode(11, { errorCode: 1.5 })).toThrow(UnencodableValueError);
    expect(encode(11, { responses: null })).toThrow(UnencodableValueError);
    expect(encode(11, { responses: [{ topic: 5 }] })).toThrow(UnencodableValueError);
    const offset = (highWatermark: number) => ({ responses: [{ partitionResponses: [{ highWatermark }] }] });
    expect(encode(11, offset(2 ** 53))).toThrow(Int64RangeError);
    expect(encode(11, offset(0.5))).toThrow(UnencodableValueError);
    expect(encode(99, {})).toThrow(UnsupportedVersionError);
    // sessionId came with v7 and may not be dropped; throttleTimeMs came with v1 and may.
    expect(encode(6, { sessionId: 5 })).toThrow(UnsupportedVersionError);
    expect(encode(0, { throttleTimeMs: 5 })).not.toThrow();
    expect(encode(11, { unknownTaggedFields: [{ tag: 9, data: Buffer.alloc(1) }] })).toThrow(UnsupportedVersionError);
  });

  it('name the message', () => {
    expect(() => encodeMessage(messages.HeartbeatRequest, 0, { generationId: 2 ** 31 })).toThrow(
      'HeartbeatRequest v0: 2147483648 is no int32',
    );
  });
});
