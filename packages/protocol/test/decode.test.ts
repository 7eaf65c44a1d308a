import { describe, expect, it } from '@jest/globals';
import { nextInt, SeededRandom } from '@klassic/common';
import { describeWithReference } from '@klassic/test-support';
import {
  annotateBatches,
  annotatedText,
  annotateMessage,
  annotateRequest,
  annotateResponse,
  apiByKey,
  buildBatch,
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponseFrame,
  encodeRequestFrame,
  encodeResponseFrame,
  encodeVersionedMessage,
  OffsetCommitValue,
} from '../src/index.ts';
import type { AnnotatedBytes } from '../src/index.ts';
import { decodeCommand, UsageError } from '../src/decode/command.ts';
import { beyondSafeIntegers, messageVectors } from './message-vectors.ts';

/** Every byte is named once, in order. */
function expectAllNamed({ bytes, annotations, problem }: AnnotatedBytes): void {
  expect(problem).toBeNull();
  let position = 0;
  for (const { offset, length } of annotations) {
    expect(offset).toBe(position);
    position += length;
  }
  expect(position).toBe(bytes.length);
}

const records = buildBatch({
  baseOffset: 5,
  records: [{ timestamp: 1_600_000_000_000, key: Buffer.from('k'), value: Buffer.from('hello') }],
});

describeWithReference(describe)('klassic-decode of the golden frames', () => {
  it('names every byte, in both codecs', () => {
    for (const vector of messageVectors('frames')) {
      const frame = Buffer.from(vector.hex, 'hex');
      const api = apiByKey(vector.apiKey!)!;
      const { version } = vector;
      if (vector.type === 'request') expectAllNamed(annotateRequest(frame));
      else expectAllNamed(annotateResponse(frame, 'kafka', api, version));
      if (beyondSafeIntegers(vector.json)) continue;
      if (vector.type === 'request') {
        const header = decodeRequestHeader('kafka', frame.subarray(4));
        const body = decodeRequestBody('kafka', frame.subarray(4), header);
        const packed = encodeRequestFrame('msgpack', api.name, version, 1, header.clientId, body);
        expectAllNamed(annotateRequest(Buffer.concat(packed)));
      } else {
        const { body } = decodeResponseFrame('kafka', api.name, version, frame.subarray(4));
        const packed = Buffer.concat(encodeResponseFrame('msgpack', api.name, version, 1, body));
        expectAllNamed(annotateResponse(packed, 'msgpack', api, version));
      }
    }
  });
});

describe('klassic-decode', () => {
  const produce = Buffer.concat(
    encodeRequestFrame('kafka', 'Produce', 7, 3, 'me', {
      acks: -1,
      timeoutMs: 1500,
      topicData: [{ name: 'orders', partitionData: [{ index: 2, records }] }],
    }),
  );

  it('prints a request with the records in it', () => {
    const lines = annotatedText(annotateRequest(produce)).split('\n');
    expect(lines.slice(0, 8)).toEqual([
      '     0  00 00 00 76                          size = 118 (int32 bytes that follow)',
      '                                             header: RequestHeader v1: Produce',
      '     4  00 00                                  requestApiKey = 0 (int16)',
      '     6  00 07                                  requestApiVersion = 7 (int16)',
      '     8  00 00 00 03                            correlationId = 3 (int32)',
      '    12  00 02                                  clientId.length = 2 (int16 length)',
      '    14  6d 65                                  clientId = "me" (string)',
      '                                             body: ProduceRequest v7',
    ]);
    expect(lines.join('\n')).toContain('value = "\\"hello\\"" (bytes)');
    expect(lines.join('\n')).toContain('baseOffset = 5 (int64)');
  });

  it('says where a cut frame ends', () => {
    const { annotations, problem } = annotateRequest(produce.subarray(0, 30));
    expect(annotations.at(-1)).toMatchObject({ path: 'topicData[0].name.length', value: 6 });
    expect(problem).toBe('topicData[0].name (string) wants 6 bytes at 30, but 0 are left');
  });

  it('reads stored messages behind their version', () => {
    const bytes = encodeVersionedMessage(OffsetCommitValue, 3, { offset: 42, metadata: 'm', commitTimestamp: 7 });
    const result = annotateMessage(bytes, OffsetCommitValue, 'in-front');
    expectAllNamed(result);
    expect(result.annotations.map(({ path, value }) => [path, value])).toEqual([
      ['(version)', 3],
      ['offset', 42],
      ['leaderEpoch', -1],
      ['metadata.length', 1],
      ['metadata', 'm'],
      ['commitTimestamp', 7],
    ]);
  });

  it('reads batches of every magic and codec', () => {
    for (const magic of [0, 1, 2] as const) {
      for (const compression of ['none', 'gzip'] as const) {
        const batch = buildBatch({
          magic,
          compression,
          records: [{ timestamp: 1, key: null, value: Buffer.from('v') }],
        });
        expectAllNamed(annotateBatches(Buffer.concat([batch, batch])));
      }
    }
    expect(annotateBatches(records.subarray(0, 40)).annotations[0]).toMatchObject({ type: 'incomplete batch' });
  });

  it('never fails on damaged bytes', () => {
    const seed = 7;
    const random = new SeededRandom(seed);
    for (let n = 0; n < 3000; n++) {
      const bytes = Buffer.from(produce);
      for (let i = 0; i < 3; i++) bytes[nextInt(random, bytes.length)] = nextInt(random, 256);
      for (const result of [
        annotateRequest(bytes),
        annotateBatches(bytes.subarray(nextInt(random, 60))),
        annotateResponse(bytes, n % 2 === 0 ? 'kafka' : 'msgpack', apiByKey(n % 20)!, 0),
      ]) {
        expect({ seed, n, text: annotatedText(result).length }).toMatchObject({ text: expect.any(Number) });
      }
    }
  });

  it('is a command', () => {
    const sources = { readFile: () => records, readStandardInput: () => produce.toString('hex').replace(/../g, '$& ') };
    expect(decodeCommand(['batch', '--file', 'x.log'], sources)).toContain('recordsCount = 1');
    expect(decodeCommand(['request'], sources)).toContain('acks = -1');
    const json = JSON.parse(decodeCommand(['request', '--json'], sources)) as { problem: null; ranges: object[] };
    expect(json.problem).toBeNull();
    expect(json.ranges[0]).toMatchObject({ path: 'size', hex: '00000076' });
    const response = ['response', '--api', 'HEARTBEAT', '--version', '0', '--hex', '000000060000000100 1b'];
    expect(decodeCommand(response, sources)).toContain('errorCode = 27');
    expect(decodeCommand([], sources)).toContain('klassic-decode');
    for (const args of [['nonsense'], ['response'], ['message', 'Nope'], ['request', '--hex', 'xyz'], ['--nope']]) {
      expect(() => decodeCommand(args, sources)).toThrow(UsageError);
    }
  });
});
