import { describe, expect, it } from '@jest/globals';
import { describeWithReference } from '@klassic/test-support';
import {
  apiByKey,
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponseFrame,
  detectCodec,
  encodeRequestFrame,
  encodeResponseFrame,
  InvalidRequestError,
  MalformedMessageError,
} from '../src/index.ts';
import type { Codec, apis } from '../src/index.ts';
import { beyondSafeIntegers, messageVectors, withinSafeIntegers } from './message-vectors.ts';

/** Decodes a frame of the reference, encodes it again in both codecs. */
function checkFrame(api: keyof typeof apis, vector: ReturnType<typeof messageVectors>[number]): void {
  const whole = Buffer.from(vector.hex, 'hex');
  const frame = whole.subarray(4);
  expect(whole.readInt32BE(0)).toBe(frame.length);
  const { version } = vector;
  if (vector.type === 'request') {
    const header = decodeRequestHeader('kafka', frame);
    expect(header).toMatchObject({ apiKey: vector.apiKey, apiVersion: version, correlationId: vector.correlationId });
    // ControlledShutdown v0 has no client id.
    if (vector.clientId !== undefined) expect(header.clientId).toBe(vector.clientId);
    const body = decodeRequestBody('kafka', frame, header);
    const encode = (codec: Codec) =>
      Buffer.concat(encodeRequestFrame(codec, api, version, header.correlationId, header.clientId, body));
    expect(encode('kafka').toString('hex')).toBe(vector.hex);
    const packed = encode('msgpack').subarray(4);
    expect(detectCodec(packed[0]!)).toBe('msgpack');
    const again = decodeRequestHeader('msgpack', packed);
    expect(again).toEqual({ ...header, bodyOffset: again.bodyOffset });
    expect(decodeRequestBody('msgpack', packed, again)).toEqual(body);
    return;
  }
  const decoded = decodeResponseFrame('kafka', api, version, frame);
  expect(decoded.correlationId).toBe(vector.correlationId);
  const encode = (codec: Codec) =>
    Buffer.concat(encodeResponseFrame(codec, api, version, decoded.correlationId, decoded.body));
  expect(encode('kafka').toString('hex')).toBe(vector.hex);
  const packed = encode('msgpack');
  expect(packed.readInt32BE(0)).toBe(packed.length - 4);
  expect(decodeResponseFrame('msgpack', api, version, packed.subarray(4))).toEqual(decoded);
}

describeWithReference(describe)('the golden frames', () => {
  it('are read and written in both codecs', () => {
    const failures: string[] = [];
    let count = 0;
    for (const vector of messageVectors('frames')) {
      const api = apiByKey(vector.apiKey!)!;
      try {
        checkFrame(api.name, beyondSafeIntegers(vector.json) ? withinSafeIntegers(vector) : vector);
        count++;
      } catch (error) {
        failures.push(`${vector.api} v${vector.version}: ${String(error)}`);
      }
    }
    expect(failures.slice(0, 5)).toEqual([]);
    expect(count).toBeGreaterThan(300);
  });
});

describe('frames', () => {
  const records = Buffer.alloc(10_000, 7);
  const body = {
    responses: [
      { topic: 'a', partitionResponses: [{ partition: 1, recordSet: records }] },
      { topic: 'b', partitionResponses: [{ partition: 2, recordSet: records.subarray(0, 9000) }, { recordSet: null }] },
    ],
  };

  it.each(['kafka', 'msgpack'] as const)('reference large record sets: %s', (codec) => {
    const chunks = encodeResponseFrame(codec, 'Fetch', 11, 5, body);
    expect(chunks.filter((chunk) => chunk.buffer === records.buffer)).toHaveLength(2);
    const whole = Buffer.concat(chunks);
    expect(whole.readInt32BE(0)).toBe(whole.length - 4);
    const { body: decoded, correlationId } = decodeResponseFrame(codec, 'Fetch', 11, whole.subarray(4));
    expect(correlationId).toBe(5);
    const sets = decoded.responses.flatMap((topic) => topic.partitionResponses.map((p) => p.recordSet));
    expect(sets.map((set) => set?.length)).toEqual([10_000, 9000, undefined]);
    expect(sets[1]!.every((byte) => byte === 7)).toBe(true);
    expect(sets[0]!.buffer).toBe(whole.buffer);
  });

  it.each(['kafka', 'msgpack'] as const)('grow while they are written: %s', (codec) => {
    const topics = Array.from({ length: 3000 }, (_, i) => ({ name: `topic-${i}-${'é'.repeat(i % 200)}` }));
    const frame = Buffer.concat(encodeRequestFrame(codec, 'Metadata', 9, 1, 'client', { topics })).subarray(4);
    const decoded = decodeRequestBody(codec, frame, decodeRequestHeader(codec, frame)) as {
      topics: { name: string }[];
    };
    expect(decoded.topics.map(({ name }) => name)).toEqual(topics.map(({ name }) => name));
  });

  it.each(['kafka', 'msgpack'] as const)('of an unknown ApiVersions version are understood so far: %s', (codec) => {
    const known = Buffer.concat(encodeRequestFrame(codec, 'ApiVersions', 3, 9, 'c', { clientSoftwareName: 'x' }));
    const frame = Buffer.from(known.subarray(4));
    // The version stands behind the key: two bytes each, or one each behind the array's marker.
    if (codec === 'kafka') frame.writeInt16BE(99, 2);
    else frame[2] = 99;
    const header = decodeRequestHeader(codec, frame);
    expect(header).toMatchObject({ apiVersion: 99, correlationId: 9, clientId: 'c', versionSupported: false });
    expect(decodeRequestBody(codec, frame, header)).toEqual({ clientSoftwareName: '', clientSoftwareVersion: '' });
  });

  it('without a header of a known API and version are refused', () => {
    const refused = ['', '00', '00030', '006300000000000100', '0003001f00000001ffff', '000300090000'];
    for (const hex of refused) {
      expect(() => decodeRequestHeader('kafka', Buffer.from(hex, 'hex'))).toThrow(InvalidRequestError);
    }
    for (const hex of ['', '95', '94010203', '95ffffffff', '9563000001a0', '951200', '950309c001a161']) {
      expect(() => decodeRequestHeader('msgpack', Buffer.from(hex, 'hex'))).toThrow(InvalidRequestError);
    }
    expect(() => decodeResponseFrame('msgpack', 'Heartbeat', 0, Buffer.from('93010203', 'hex'))).toThrow(
      MalformedMessageError,
    );
  });
});
