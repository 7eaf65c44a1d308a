import { describe, expect, it } from '@jest/globals';
import { describeWithReference, readReferenceLines } from '@klassic/test-support';
import { apis, decodeMessage, encodeMessage, messageToJson } from '../src/index.ts';
import * as messages from '../src/messages/index.ts';
import type { InitOf, Schema } from '../src/schema/index.ts';
import { beyondSafeIntegers, messageVectors } from './message-vectors.ts';

const byLoggedName = new Map(Object.values(apis).map((api) => [api.loggedName, api.name]));

/** Record sets as the vectors have them, in base64, to what the logger prints of them. */
function withoutRecords(json: unknown, names: ReadonlySet<string>): unknown {
  if (Array.isArray(json)) return json.map((element) => withoutRecords(element, names));
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) =>
      names.has(name) && typeof value === 'string'
        ? [`${name}SizeInBytes`, Buffer.from(value, 'base64').length]
        : [name, withoutRecords(value, names)],
    ),
  );
}

describeWithReference(describe)('the JSON of messages', () => {
  it('is that of the golden vectors', () => {
    const records = new Set(['records', 'recordSet', 'unalignedRecords']);
    for (const schema of Object.values(messages) as Schema[]) {
      for (const { version, json, hex, sample } of messageVectors(schema.name)) {
        if (beyondSafeIntegers(json)) continue;
        const body = decodeMessage(schema, version, Buffer.from(hex, 'hex'));
        // `records` is a number array elsewhere: only base64 text is a record set.
        expect({ sample, version, json: messageToJson(schema, version, body) }).toEqual({
          sample,
          version,
          json: withoutRecords(json, records),
        });
      }
    }
  });

  it.each(['03-kill-leader', '13-consumer-group', '14-transactions'])(
    'is what the request logger printed in %s',
    (scenario) => {
      const home = ['cluster', '2.8.2', 'ibp-2.6', scenario] as const;
      let count = 0;
      for (const file of ['rpcs.jsonl', 'client-rpcs.jsonl']) {
        for (const line of readReferenceLines(...home, file)) {
          const { api, v, request, response } = JSON.parse(line) as {
            api: string;
            v: number;
            request?: object;
            response?: object;
          };
          // Record sets are only known by their size; what the recorder left out is a text.
          if (line.includes('SizeInBytes') || line.includes('<cluster-id')) continue;
          const name = byLoggedName.get(api);
          if (name === undefined) continue;
          for (const [schema, json] of [
            [apis[name].request, request],
            [apis[name].response, response],
          ] as [Schema, object | string | undefined][]) {
            if (typeof json !== 'object' || Object.keys(json).length === 0) continue;
            const body = withBuffers(schema.body, json as Record<string, unknown>);
            const again = decodeMessage(schema, v, encodeMessage(schema, v, body as InitOf<Schema>));
            expect(JSON.stringify(sorted(messageToJson(schema, v, again)))).toBe(JSON.stringify(sorted(json)));
            count++;
          }
        }
      }
      expect(count).toBeGreaterThan(20);
    },
  );

  it('has defaults for what a body leaves out', () => {
    const fetch = messageToJson(apis.Fetch.response, 11, { responses: [{ partitionResponses: [{ partition: 3 }] }] });
    expect(JSON.stringify(fetch)).toBe(
      '{"throttleTimeMs":0,"errorCode":0,"sessionId":0,"responses":[{"topic":"","partitionResponses":[' +
        '{"partition":3,"errorCode":0,"highWatermark":0,"lastStableOffset":-1,"logStartOffset":-1,' +
        '"abortedTransactions":[],"preferredReadReplica":-1,"recordSet":null}]}]}',
    );
  });
});

function withBuffers(struct: Schema['body'], json: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => {
      const { type } = struct.fields[name] ?? raise(`${struct.name} has no ${name}`);
      const one = (each: unknown): unknown => {
        if (typeof type !== 'string' && each !== null) return withBuffers(type, each as Record<string, unknown>);
        return type === 'bytes' && typeof each === 'string' ? Buffer.from(each, 'base64') : each;
      };
      return [name, Array.isArray(value) ? value.map(one) : one(value)];
    }),
  );
}

function raise(message: string): never {
  throw new Error(message);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}
