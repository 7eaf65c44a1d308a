import { describe, expect, it } from '@jest/globals';
import { encodeRequestFrame, encodeResponseFrame } from '@klassic/protocol';
import type { Codec } from '@klassic/protocol';
import { KafkaTap } from '../src/wire/kafka-tap.ts';
import type { Exchange } from '../src/wire/kafka-tap.ts';

/** A frame as a relay hands it over: without its size. */
const frameOf = (chunks: readonly Buffer[]): Buffer => Buffer.concat(chunks).subarray(4);

describe('KafkaTap', () => {
  it.each<Codec>(['kafka', 'msgpack'])('puts requests and answers together in %s', (codec) => {
    const seen: Exchange[] = [];
    const unreadable: string[] = [];
    const tap = new KafkaTap({
      onExchange: (exchange) => seen.push(exchange),
      onUnreadable: (line) => unreadable.push(line),
    });
    const request = (id: number, name: string): void => {
      const frame = frameOf(encodeRequestFrame(codec, 'Metadata', 5, id, 'me', { topics: [{ name }] }));
      tap.push({ connection: 1, direction: 'to-server', frame });
    };
    const answer = (id: number, controllerId: number): void => {
      const frame = frameOf(encodeResponseFrame(codec, 'Metadata', 5, id, { controllerId }));
      tap.push({ connection: 1, direction: 'to-client', frame });
    };
    request(7, 'a');
    const silent = frameOf(encodeRequestFrame(codec, 'Produce', 8, 70, 'me', { acks: 0 }));
    tap.push({ connection: 1, direction: 'to-server', frame: silent });
    request(8, 'b');
    answer(7, 1);
    answer(8, 2);
    expect(
      seen.map((each) => [each.codec, each.header.api.name, each.header.correlationId, each.header.clientId]),
    ).toEqual([
      [codec, 'Metadata', 7, 'me'],
      [codec, 'Metadata', 8, 'me'],
    ]);
    expect(seen.map((each) => each.request)).toMatchObject([{ topics: [{ name: 'a' }] }, { topics: [{ name: 'b' }] }]);
    expect(seen.map((each) => each.response)).toMatchObject([{ controllerId: 1 }, { controllerId: 2 }]);
    expect(unreadable).toEqual([]);
  });

  it('tells of frames that cannot be read, and reads on', () => {
    const unreadable: string[] = [];
    const tap = new KafkaTap({ onExchange: () => undefined, onUnreadable: (line) => unreadable.push(line) });
    tap.push({ connection: 3, direction: 'to-server', frame: Buffer.from([0, 99, 0]) });
    expect(unreadable).toHaveLength(1);
    expect(unreadable[0]).toMatch(/^connection 3, to-server: /);
  });
});
