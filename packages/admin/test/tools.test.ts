import { describe, expect, it } from '@jest/globals';
import type { ConsumerRecord } from '@klassic/client';
import { describeWithReference, readReferenceJson } from '@klassic/test-support';
import { LineMessageReader } from '../src/console/line-message-reader.ts';
import { DefaultMessageFormatter } from '../src/console/message-formatter.ts';
import { describeMembers, describeState } from '../src/groups/describe.ts';
import {
  configCommand,
  consoleConsumerCommand,
  consoleProducerCommand,
  consumerGroupCommand,
  runWith,
  topicCommand,
  zooKeeperShell,
} from '../src/index.ts';
import type { Tool } from '../src/index.ts';
import { parseReplicaAssignment } from '../src/topics/replica-assignment.ts';
import { topicMatcher } from '../src/topics/topic-filter.ts';
import { memoryIo } from './memory-io.ts';

interface Case {
  readonly name: string;
  readonly argv: string[];
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

const tools: [string, Tool][] = [
  ['kafka-topics', topicCommand],
  ['kafka-console-producer', consoleProducerCommand],
  ['kafka-console-consumer', consoleConsumerCommand],
  ['kafka-consumer-groups', consumerGroupCommand],
  ['kafka-configs', configCommand],
];

describeWithReference(describe).each(tools)('%s', (name, tool) => {
  it('finds the mistakes that the original finds, in its words', async () => {
    const { cases } = readReferenceJson('cluster', '2.8.2', 'cli', `${name}.json`) as { cases: Case[] };
    // The original prints its usage, too, at mistakes it finds before it connects.
    const mistakes = cases.filter(({ stderr, exit }) => exit === 1 && /^Option +Description/m.test(stderr));
    expect(mistakes.length).toBeGreaterThan(0);
    for (const { name: title, argv, exit, stderr } of mistakes) {
      const io = memoryIo();
      const code = await runWith(tool, argv, io);
      expect({ title, code, stdout: io.stdout, stderr: io.stderr }).toEqual({
        title,
        code: exit,
        stdout: '',
        stderr: `${stderr.split('\n')[0]}\n`,
      });
    }
  });
});

describe('command lines', () => {
  it.each([
    [['--nonsense'], 'nonsense is not a recognized option'],
    [['--list', '--bootstrap-server'], 'Option bootstrap-server requires an argument'],
    [['--list', '--bootstrap-server', 'nowhere'], 'Invalid url in bootstrap.servers: nowhere'],
    [['--create', '--topic', 't', '--partitions', 'few'], "Cannot parse argument 'few' of option partitions"],
  ])('%j is told in one line', async (argv, line) => {
    const io = memoryIo();
    expect(await runWith(topicCommand, argv, io)).toBe(1);
    expect(io.stderr).toBe(`${line}\n`);
  });

  it('zookeeper-shell says how to be used', async () => {
    const io = memoryIo();
    expect(await runWith(zooKeeperShell, [], io)).toBe(1);
    expect(io.stderr).toMatch(/^USAGE: zookeeper-shell .*\n$/);
  });
});

describe('LineMessageReader', () => {
  it('takes a line as the value', () => {
    expect(new LineMessageReader('t', new Map()).read('a\tb')).toEqual({ topic: 't', value: 'a\tb' });
  });

  it('parts key and value', () => {
    const reader = new LineMessageReader(
      't',
      new Map([
        ['parse.key', 'true'],
        ['key.separator', ':'],
      ]),
    );
    expect(reader.read('k:v:w')).toEqual({ topic: 't', key: 'k', value: 'v:w' });
    expect(() => reader.read('novalue')).toThrow('No key found on line 2: novalue');
  });
});

describe('DefaultMessageFormatter', () => {
  const record: ConsumerRecord = {
    topic: 't',
    partition: 1,
    offset: 2,
    timestamp: 3,
    timestampType: 'CreateTime',
    key: Buffer.from('k1'),
    value: Buffer.from('v1'),
    headers: [
      { key: 'a', value: Buffer.from('1') },
      { key: 'b', value: null },
    ],
    leaderEpoch: 0,
  };

  it('prints values alone by default', () => {
    expect(new DefaultMessageFormatter(new Map()).format(record).toString()).toBe('v1\n');
    expect(new DefaultMessageFormatter(new Map()).format({ ...record, value: null }).toString()).toBe('null\n');
  });

  it('prints everything in the original’s order', () => {
    const all = new Map(
      ['timestamp', 'partition', 'offset', 'headers', 'key'].map((what) => [`print.${what}`, 'true'] as const),
    );
    expect(new DefaultMessageFormatter(all).format(record).toString()).toBe(
      'CreateTime:3\tPartition:1\tOffset:2\ta:1,b:null\tk1\tv1\n',
    );
    expect(new DefaultMessageFormatter(all).format({ ...record, headers: [] }).toString()).toContain('\tNO_HEADERS\t');
  });
});

describe('topics', () => {
  it('matches whole names by regular expressions, with commas as "or"', () => {
    expect(['a', 'b', 'ab', 'c.d'].filter(topicMatcher('a,c\\..*'))).toEqual(['a', 'c.d']);
    expect(() => topicMatcher('(')).toThrow('( is an invalid regex.');
  });

  it('reads assignments', () => {
    expect(parseReplicaAssignment('1:2:3,2:3:1')).toEqual([
      [1, 2, 3],
      [2, 3, 1],
    ]);
    expect(() => parseReplicaAssignment('1:1,2:3')).toThrow(
      'Partition replica lists may not contain duplicate entries: 1',
    );
    expect(() => parseReplicaAssignment('1:2,3')).toThrow('Partition 1 has different replication factor');
    expect(() => parseReplicaAssignment('1:x')).toThrow('For input string: "x"');
  });
});

describe('groups', () => {
  const group = {
    groupId: 'act',
    state: 'Stable',
    protocolType: 'consumer',
    assignor: 'range',
    coordinator: { id: 3, host: '127.0.0.1', port: 19093, rack: null },
    members: [
      {
        memberId: 'm-11111111-2222-3333-4444-555555555555',
        groupInstanceId: null,
        clientId: 'm',
        host: '/127.0.0.1',
        assignment: [
          { topic: 't2', partition: 1 },
          { topic: 't2', partition: 0 },
          { topic: 't1', partition: 0 },
        ],
      },
    ],
  };

  it('prints state and members in the original’s columns (2.8.2/cli, "state" and "members verbose")', () => {
    const io = memoryIo();
    describeState(group, io);
    expect(io.stdout).toBe(
      '\nGROUP                     COORDINATOR (ID)          ASSIGNMENT-STRATEGY  STATE           #MEMBERS\n' +
        'act                       127.0.0.1:19093 (3)       range                Stable          1\n',
    );
    io.stdout = '';
    describeMembers(group, io, true);
    expect(io.stdout.trimEnd()).toBe(
      '\nGROUP           CONSUMER-ID                            HOST            CLIENT-ID       #PARTITIONS     ASSIGNMENT\n' +
        'act             m-11111111-2222-3333-4444-555555555555 /127.0.0.1      m               3               t1(0), t2(0,1)',
    );
  });
});
