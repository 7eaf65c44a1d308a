import type { ApiName, RequestInit } from '@klassic/protocol';
import { nextInt } from '@klassic/common';
import type { Random } from '@klassic/common';
import type { Question } from './answers.ts';

const timeoutMs = 15_000;
const [topicType, brokerType, loggerType] = [2, 4, 8];

function question<A extends ApiName>(name: string, api: A, version: number, body: RequestInit<A>): Question {
  return { name: `${api} v${version} ${name}`, api, version, body };
}

type Assignment = readonly (readonly [partitionIndex: number, brokerIds: readonly number[]])[];
type Configs = readonly (readonly [name: string, value: string | null])[];

function newTopic(
  name: string,
  partitions: number,
  factor: number,
  assignment: Assignment = [],
  configs: Configs = [],
) {
  return {
    name,
    numPartitions: partitions,
    replicationFactor: factor,
    assignments: assignment.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds: [...brokerIds] })),
    configs: configs.map(([key, value]) => ({ name: key, value })),
  };
}

const longName = 'x'.repeat(250);
const oddNames = ['', '.', '..', 'a b', 'ä', 'a/b', longName];

function createTopics(): Question[] {
  const checked = (name: string, ...topics: ReturnType<typeof newTopic>[]): Question =>
    question(name, 'CreateTopics', 5, { topics, timeoutMs, validateOnly: true });
  const sizes = [
    [0, 1],
    [-2, 1],
    [1, 0],
    [1, -2],
    [1, 2],
    [1, 32_767],
    [-1, -1],
    [1, -1],
    [-1, 1],
  ] as const;
  const assignments: Assignment[] = [
    [[0, [1]]],
    [[0, [9]]],
    [[0, [1, 1]]],
    [[0, []]],
    [[1, [1]]],
    [[-1, [1]]],
    [
      [0, [1]],
      [2, [1]],
    ],
    [
      [0, [1]],
      [1, [1, 2]],
    ],
  ];
  const configs: Configs[] = [
    [
      ['retention.ms', '1000'],
      ['cleanup.policy', 'compact'],
    ],
    [['retention.ms', null]],
    [['retention.ms', 'x']],
    [
      ['nope', 'x'],
      ['nope2', 'y'],
    ],
    [
      ['min.cleanable.dirty.ratio', '1'],
      ['preallocate', 'TRUE'],
      ['segment.bytes', '+0100'],
    ],
  ];
  return [
    question('makes a topic', 'CreateTopics', 5, { topics: [newTopic('made', 2, 1)], timeoutMs, validateOnly: false }),
    question('makes another', 'CreateTopics', 0, { topics: [newTopic('old', 1, 1)], timeoutMs }),
    question('makes a third', 'CreateTopics', 7, { topics: [newTopic('a.b', 1, 1)], timeoutMs, validateOnly: false }),
    question('none', 'CreateTopics', 5, { topics: [], timeoutMs, validateOnly: false }),
    ...oddNames.map((name) => checked(`name ${name}`, newTopic(name, 1, 1))),
    checked('exists', newTopic('made', 1, 1)),
    checked('collides', newTopic('a_b', 1, 1)),
    checked('twice', newTopic('d', 1, 1), newTopic('d', 2, 1), newTopic('e', 1, 1)),
    ...sizes.map(([partitions, factor]) => checked(`${partitions} × ${factor}`, newTopic('n', partitions, factor))),
    ...assignments.map((assignment) => checked(JSON.stringify(assignment), newTopic('n', -1, -1, assignment))),
    checked('both', newTopic('n', 1, -1, [[0, [1]]])),
    ...configs.map((each) => checked(JSON.stringify(each), newTopic('n', 1, 1, [], each))),
    checked('all wrong', newTopic('a b', 0, 0, [], [['nope', 'x']])),
    checked('two wrong', newTopic('ab', 0, 1, [], [['nope', 'x']])),
  ];
}

function createPartitions(): Question[] {
  const checked = (name: string, topic: string, count: number, replicas: number[][] | null = null): Question => {
    const assignments = replicas?.map((brokerIds) => ({ brokerIds })) ?? null;
    return question(name, 'CreatePartitions', 2, {
      topics: [{ name: topic, count, assignments }],
      timeoutMs,
      validateOnly: true,
    });
  };
  return [
    ...['', 'nope', 'a b'].map((name) => checked(`name ${name}`, name, 3)),
    ...[0, -1, 1, 2, 3].map((count) => checked(`to ${count}`, 'made', count)),
    ...[[], [[1]], [[1], [1]], [[9]], [[1, 1]], [[]], [[-1]]].map((replicas) =>
      checked(JSON.stringify(replicas), 'made', 3, replicas),
    ),
    question('twice', 'CreatePartitions', 2, {
      topics: [
        { name: 'made', count: 3, assignments: null },
        { name: 'made', count: 4, assignments: null },
        { name: 'nope', count: 1, assignments: null },
      ],
      timeoutMs,
      validateOnly: true,
    }),
    question('adds one', 'CreatePartitions', 3, {
      topics: [{ name: 'made', count: 3, assignments: null }],
      timeoutMs,
      validateOnly: false,
    }),
  ];
}

function deleteTopics(): Question[] {
  return [
    question('unknown', 'DeleteTopics', 3, { topicNames: ['nope', '', 'a b'], timeoutMs }),
    question('twice', 'DeleteTopics', 3, { topicNames: ['old', 'old'], timeoutMs }),
    question('unknown twice', 'DeleteTopics', 6, { topics: [{ name: 'nope' }, { name: 'nope' }], timeoutMs }),
  ];
}

/** Values for settings: right, wrong, out of range. */
const values = [
  '',
  '0',
  '1',
  '-1',
  '2',
  '10',
  '4096',
  '1048588',
  '0.5',
  '2.0',
  'true',
  'x',
  'compact',
  'delete',
  'lz4',
];

const brokerSettings = [
  'background.threads',
  'broker.id',
  'compression.type',
  'log.cleaner.dedupe.buffer.size',
  'log.cleaner.threads',
  'log.cleanup.policy',
  'log.dirs',
  'log.retention.ms',
  'log.roll.ms',
  'log.segment.bytes',
  'max.connections',
  'message.max.bytes',
  'metric.reporters',
  'min.insync.replicas',
  'no.such.config',
  'num.io.threads',
  'num.network.threads',
  'ssl.keystore.type',
  'listener.name.plaintext.ssl.keystore.location',
  'listener.name.plaintext.max.connections',
  'leader.replication.throttled.rate',
  'principal.builder.class',
  'unclean.leader.election.enable',
];

const topicSettings = [
  'cleanup.policy',
  'compression.type',
  'leader.replication.throttled.replicas',
  'max.compaction.lag.ms',
  'max.message.bytes',
  'message.timestamp.type',
  'min.cleanable.dirty.ratio',
  'min.compaction.lag.ms',
  'min.insync.replicas',
  'no.such.config',
  'preallocate',
  'retention.ms',
  'segment.bytes',
];

/** A change of settings by chance, which is only checked. */
export function randomChange(random: Random, number: number): Question {
  const pick = <T>(items: readonly T[]): T => items[nextInt(random, items.length)]!;
  const isTopic = random.next() < 0.4;
  const names = isTopic ? topicSettings : brokerSettings;
  const count = 1 + nextInt(random, 2);
  const chosen = new Set(Array.from({ length: count }, () => pick(names)));
  const configs = [...chosen].map((name) => ({
    name,
    configOperation: pick([0, 0, 0, 1, 2, 3]),
    value: random.next() < 0.03 ? null : pick(values),
  }));
  const resource = {
    resourceType: isTopic ? topicType : brokerType,
    resourceName: isTopic ? pick(['made', 'made', 'nope']) : pick(['1', '1', '', '2']),
  };
  return question(`#${number} ${JSON.stringify({ ...resource, configs })}`, 'IncrementalAlterConfigs', 1, {
    resources: [{ ...resource, configs }],
    validateOnly: true,
  });
}

function configs(): Question[] {
  const describe = (type: number, name: string, version: number): Question =>
    question(`${type} ${name}`, 'DescribeConfigs', version, {
      resources: [{ resourceType: type, resourceName: name, configurationKeys: null }],
      ...(version >= 1 ? { includeSynonyms: true } : {}),
    });
  const alter = (type: number, name: string, entries: Configs): Question =>
    question(`${type} ${name} ${JSON.stringify(entries)}`, 'AlterConfigs', 1, {
      resources: [
        { resourceType: type, resourceName: name, configs: entries.map(([key, value]) => ({ name: key, value })) },
      ],
      validateOnly: true,
    });
  const change = (
    type: number,
    name: string,
    entries: readonly (readonly [string, number, string | null])[],
  ): Question =>
    question(`${type} ${name} ${JSON.stringify(entries)}`, 'IncrementalAlterConfigs', 0, {
      resources: [
        {
          resourceType: type,
          resourceName: name,
          configs: entries.map(([key, configOperation, value]) => ({ name: key, configOperation, value })),
        },
      ],
      validateOnly: true,
    });
  return [
    ...[0, 1, 2, 3, 4].map((version) => describe(topicType, 'made', version)),
    ...['', 'nope', 'a b'].map((name) => describe(topicType, name, 3)),
    ...['', '2', 'x'].map((name) => describe(brokerType, name, 3)),
    ...['', '2'].map((name) => describe(loggerType, name, 3)),
    describe(0, '1', 3),
    describe(16, '1', 3),
    alter(topicType, 'made', [['retention.ms', '5']]),
    alter(topicType, 'made', [['retention.ms', null]]),
    alter(topicType, 'nope', [['retention.ms', '5']]),
    alter(topicType, '', [['retention.ms', '5']]),
    alter(loggerType, '1', [['root', 'INFO']]),
    alter(brokerType, '1', []),
    alter(16, '1', [['a', 'b']]),
    change(topicType, '', [['retention.ms', 0, '5']]),
    change(brokerType, '1', [['num.io.threads', 9, '5']]),
    change(brokerType, '1', [
      ['num.io.threads', 0, '8'],
      ['num.io.threads', 1, null],
    ]),
    change(brokerType, '1', [
      ['broker.id', 0, '5'],
      ['zookeeper.connect', 0, 'a'],
      ['log.dirs', 0, 'x'],
    ]),
    change(loggerType, '1', [['kafka.server.KafkaServer', 0, 'LOUD']]),
    change(loggerType, '1', [['no.such.logger', 0, 'INFO']]),
    change(loggerType, '1', [['root', 1, null]]),
    change(loggerType, '1', [['root', 2, 'INFO']]),
    change(16, 'x', [['a', 0, '1']]),
  ];
}

type Entity = readonly (readonly [entityType: string, entityName: string | null])[];

function clientQuotas(): Question[] {
  const alter = (entity: Entity, key: string, value: number | null, validateOnly = false): Question =>
    question(`${JSON.stringify(entity)} ${key}=${value}`, 'AlterClientQuotas', 1, {
      entries: [
        {
          entity: entity.map(([entityType, entityName]) => ({ entityType, entityName })),
          ops: [{ key, value: value ?? 0, remove: value === null }],
        },
      ],
      validateOnly,
    });
  const describe = (components: readonly (readonly [string, number, string | null])[], strict: boolean): Question =>
    question(`${JSON.stringify(components)} ${strict}`, 'DescribeClientQuotas', 1, {
      components: components.map(([entityType, matchType, match]) => ({ entityType, matchType, match })),
      strict,
    });
  const rate = 'producer_byte_rate';
  return [
    alter([['user', 'alice']], rate, 1000),
    alter([['user', null]], 'request_percentage', 12.5),
    alter(
      [
        ['user', 'alice'],
        ['client-id', 'c/1'],
      ],
      rate,
      5,
    ),
    alter([['client-id', 'c']], 'consumer_byte_rate', 7),
    alter([['ip', '127.0.0.1']], 'connection_creation_rate', 3),
    ...[10.5, -1, 0, 1e300, Infinity].map((value) => alter([['user', 'b']], rate, value, true)),
    alter([['user', '']], rate, 1),
    alter([['foo', 'a']], rate, 1),
    alter([], rate, 1),
    alter([['ip', '127.0.0.1']], rate, 1),
    alter([['user', 'a']], 'no_such', 1),
    alter([['user', 'a']], 'SCRAM-SHA-256', 1),
    describe([], false),
    describe([], true),
    describe([['user', 2, null]], false),
    describe([['user', 2, null]], true),
    describe([['user', 1, null]], false),
    describe([['user', 0, 'alice']], false),
    describe([['client-id', 2, null]], true),
    describe([['ip', 2, null]], true),
    describe([['foo', 2, null]], true),
    describe([['user', 9, null]], true),
  ];
}

function partitions(): Question[] {
  const records = (topics: readonly (readonly [string, readonly (readonly [number, number])[]])[]): Question =>
    question(JSON.stringify(topics), 'DeleteRecords', 2, {
      topics: topics.map(([name, each]) => ({
        name,
        partitions: each.map(([partitionIndex, offset]) => ({ partitionIndex, offset })),
      })),
      timeoutMs,
    });
  const elect = (type: number, asked: readonly (readonly [string, readonly number[]])[] | null): Question =>
    question(`${type} ${JSON.stringify(asked)}`, 'ElectLeaders', 1, {
      electionType: type,
      topicPartitions: asked?.map(([topic, partitionId]) => ({ topic, partitionId: [...partitionId] })) ?? null,
      timeoutMs,
    });
  const reassign = (topic: string, partition: number, replicas: number[] | null): Question =>
    question(`${topic} ${partition} ${JSON.stringify(replicas)}`, 'AlterPartitionReassignments', 0, {
      topics: [{ name: topic, partitions: [{ partitionIndex: partition, replicas }] }],
      timeoutMs,
    });
  return [
    ...[0, -1, -2, 5].map((offset) => records([['made', [[0, offset]]]])),
    records([
      ['nope', [[0, 0]]],
      ['', [[0, 0]]],
      [
        'made',
        [
          [99, 0],
          [-1, 0],
          [0, 0],
          [0, 5],
        ],
      ],
      ['a.b', []],
    ]),
    elect(0, null),
    elect(0, []),
    elect(1, [['made', [0]]]),
    elect(0, [
      ['nope', [0]],
      ['made', [0, 99, -1]],
      ['', [0]],
    ]),
    ...[[1], [], [1, 1], [-1], [9], null].map((replicas) => reassign('made', 0, replicas)),
    reassign('nope', 0, [1]),
    reassign('', 0, [1]),
    reassign('made', -1, [1]),
    reassign('made', 99, null),
    question('all', 'ListPartitionReassignments', 0, { topics: null, timeoutMs }),
    question('unknown', 'ListPartitionReassignments', 0, {
      topics: [{ name: 'nope', partitionIndexes: [0, -1] }],
      timeoutMs,
    }),
  ];
}

function metadata(): Question[] {
  const ask = (version: number, topics: readonly (string | null)[] | null, asked = {}): Question =>
    question(JSON.stringify(topics), 'Metadata', version, {
      topics: topics?.map((name) => ({ name })) ?? null,
      ...(version >= 4 ? { allowAutoTopicCreation: false } : {}),
      ...asked,
    });
  const versions = Array.from({ length: 12 }, (_, version) => version);
  return [
    ...versions.flatMap((version) => [ask(version, ['made', 'made', 'a.b']), ask(version, version === 0 ? [] : null)]),
    ...versions.slice(4).map((version) => ask(version, ['nope', ...oddNames, '__consumer_offsets'])),
    ask(10, [null]),
    ask(8, ['made', 'nope'], { includeClusterAuthorizedOperations: true, includeTopicAuthorizedOperations: true }),
    question('with operations', 'DescribeCluster', 0, { includeClusterAuthorizedOperations: true }),
    question('plainly', 'DescribeCluster', 0, {}),
    ...[1, 2, 3].map((version) => question('of type 9', 'FindCoordinator', version, { key: 'k', keyType: 9 })),
    question('of a nameless client', 'ApiVersions', 3, { clientSoftwareName: '', clientSoftwareVersion: '1' }),
  ];
}

/** Requests in the order in which they are asked: what one makes another asks about. */
export function questions(): Question[] {
  return [
    ...createTopics(),
    ...createPartitions(),
    ...deleteTopics(),
    ...configs(),
    ...clientQuotas(),
    ...partitions(),
    ...metadata(),
  ];
}
