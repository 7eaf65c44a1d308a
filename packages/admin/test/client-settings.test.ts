import { expect, it } from '@jest/globals';
import { clientOptions } from '../src/client-settings.ts';
import { UsageError } from '../src/tool.ts';

it('turns settings by Kafka’s names into options of the client, and leaves out what that does not have', () => {
  const settings = new Map([
    ['client.rack', 'rack-b'],
    ['max.poll.records', '7'],
    ['enable.auto.commit', 'false'],
    ['klassic.codec', 'msgpack'],
    ['key.deserializer', 'some.Class'],
  ]);
  expect(clientOptions('h:9092', settings)).toEqual({
    bootstrapServers: 'h:9092',
    clientRack: 'rack-b',
    maxPollRecords: 7,
    enableAutoCommit: false,
    codec: 'msgpack',
  });
});

it.each([
  ['max.poll.records', 'many', /Not a number of type INT/],
  ['enable.auto.commit', 'perhaps', /either true or false/],
])('refuses %s=%s', (name, value, complaint) => {
  const read = (): unknown => clientOptions('h:9092', new Map([[name, value]]));
  expect(read).toThrow(UsageError);
  expect(read).toThrow(complaint);
});
