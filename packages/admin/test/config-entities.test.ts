import { describe, expect, it } from '@jest/globals';
import { parseArguments } from '../src/arguments.ts';
import { configOptions, entitiesOf } from '../src/configs/config-entities.ts';
import type { ConfigEntity } from '../src/configs/config-entities.ts';

const entities = (line: string): ConfigEntity[] => {
  const argv = line.split(' ');
  return entitiesOf(parseArguments(argv, configOptions), argv);
};

describe('entitiesOf', () => {
  it.each<[string, ConfigEntity[]]>([
    ['--entity-type topics --entity-name t', [{ type: 'topics', name: 't' }]],
    ['--entity-type topics', [{ type: 'topics', name: undefined }]],
    ['--entity-type brokers --entity-default', [{ type: 'brokers', name: '' }]],
    [
      '--entity-type users --entity-name alice --entity-type clients --entity-default',
      [
        { type: 'users', name: 'alice' },
        { type: 'clients', name: '' },
      ],
    ],
    [
      '--entity-type clients --entity-default --entity-type users --entity-name=alice',
      [
        { type: 'clients', name: '' },
        { type: 'users', name: 'alice' },
      ],
    ],
    [
      '--user alice --client-defaults',
      [
        { type: 'users', name: 'alice' },
        { type: 'clients', name: '' },
      ],
    ],
    ['--broker-logger 1', [{ type: 'broker-loggers', name: '1' }]],
    ['--ip-defaults', [{ type: 'ips', name: '' }]],
  ])('reads %s', (line, expected) => {
    expect(entities(line)).toEqual(expected);
  });

  it.each([
    ['--all', 'At least one entity type must be specified'],
    ['--entity-type planets', /^Invalid entity type planets/],
    ['--topic t --broker 1', "Only 'users' and 'clients' entity types may be specified together"],
    ['--broker one', 'The entity name for brokers must be a valid integer broker id, found: one'],
  ])('refuses %s', (line, message) => {
    expect(() => entities(line)).toThrow(message);
  });
});
