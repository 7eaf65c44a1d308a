import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@klassic/common';
import { validateTopicConfig } from '@klassic/log';
import type { NetworkRequest } from '@klassic/network';
import { KafkaError } from '@klassic/protocol';
import type { ApiName, RequestInit, ResponseInit } from '@klassic/protocol';
import { KafkaConfig } from '../../src/index.ts';
import { alterConfigsHandlers } from '../../src/apis/alter-configs.ts';
import type { AnyApiHandler, ApiHandler } from '../../src/apis/api-handler.ts';
import { describeConfigsHandler } from '../../src/apis/describe-configs.ts';
import { toApiError } from '../../src/apis/request-errors.ts';
import { DynamicBrokerConfig } from '../../src/server/dynamic-broker-config.ts';
import { Log4jController } from '../../src/server/log4j-controller.ts';

type Props = Readonly<Record<string, string>>;
type Change = readonly [name: string, operation: number, value: string | null];

const topic = 2;
const brokerResource = 4;
const logger = 8;
const [set, remove, append, subtract] = [0, 1, 2, 3];

/** A broker 1 that knows topic `orders`, over a ZooKeeper that is a map. */
function broker() {
  const stored = new Map<string, Props>();
  const config = new KafkaConfig({ 'zookeeper.connect': 'h:1', 'broker.id': '1', 'log.retention.hours': '0100' });
  const dynamicConfig = new DynamicBrokerConfig({
    config,
    passwordEncoder: undefined,
    oldPasswordEncoder: undefined,
    logger: silentLogger,
  });
  const log4j = new Log4jController(new Map([['root', 'INFO']]));
  log4j.thresholdOf('kafka.server.KafkaApis');
  const metadataCache = { contains: (name: string) => name === 'orders' };
  const write = (path: string, props: Props): Promise<void> => {
    stored.set(path, props);
    if (path === 'brokers/<default>') dynamicConfig.updateDefaultConfig(props);
    if (path === 'brokers/1') dynamicConfig.updateBrokerConfig(1, props);
    return Promise.resolve();
  };
  const handlers: AnyApiHandler[] = [
    ...alterConfigsHandlers({
      brokerId: 1,
      adminZkClient: {
        changeTopicConfig: (name, props) => write(`topics/${name}`, props),
        changeEntityConfig: (type, name, props) => write(`${type}/${name}`, props),
      },
      metadataCache,
      dynamicConfig,
      log4j,
      fetchEntityConfig: (type, name) => Promise.resolve(stored.get(`${type}/${name}`) ?? {}),
      validateTopicConfig,
    }),
    describeConfigsHandler({
      brokerId: 1,
      config,
      dynamicConfig,
      log4j,
      metadataCache,
      topicOverrides: (name) => Promise.resolve(stored.get(`topics/${name}`) ?? {}),
      documentation: () => Promise.resolve((kind, name) => `${kind} ${name}`),
    }),
  ];
  async function send<A extends ApiName>(api: A, version: number, body: RequestInit<A>): Promise<ResponseInit<A>> {
    const handler = handlers.find((each) => each.api === api) as unknown as ApiHandler<A>;
    const request = { api, header: { apiVersion: version }, body } as unknown as NetworkRequest<A>;
    try {
      return (await handler.handle(request))!;
    } catch (thrown) {
      if (!(thrown instanceof KafkaError)) throw thrown;
      const { error, message } = toApiError(thrown);
      return handler.failure(request, error, message);
    }
  }
  const change = async (type: number, name: string, changes: readonly Change[], validateOnly = false) => {
    const configs = changes.map(([key, configOperation, value]) => ({ name: key, configOperation, value }));
    const resources = [{ resourceType: type, resourceName: name, configs }];
    const { responses } = await send('IncrementalAlterConfigs', 1, { resources, validateOnly });
    const { errorCode, errorMessage } = responses![0]!;
    return [errorCode, errorMessage];
  };
  const entries = async (type: number, name: string, keys: string[] | null = null, version = 3) => {
    const resources = [{ resourceType: type, resourceName: name, configurationKeys: keys }];
    const documented = version >= 3 ? { includeDocumentation: true } : {};
    const body = { resources, ...(version >= 1 ? { includeSynonyms: true, ...documented } : {}) };
    return (await send('DescribeConfigs', version, body)).results![0]!;
  };
  return { stored, config, log4j, send, change, entries };
}

const badValue = (resource: string, message: string): [number, string] => [
  42,
  `Invalid config value for resource ConfigResource(type=${resource}): ${message}`,
];

describe('IncrementalAlterConfigs', () => {
  it('sets, takes away, appends to and subtracts from lists', async () => {
    const { change, stored } = broker();
    expect(await change(topic, 'orders', [['cleanup.policy', append, 'compact']])).toEqual([0, null]);
    expect(stored.get('topics/orders')).toEqual({ 'cleanup.policy': 'delete,compact' });
    await change(topic, 'orders', [['cleanup.policy', append, 'compact,delete']]);
    await change(topic, 'orders', [['cleanup.policy', subtract, 'compact']]);
    expect(stored.get('topics/orders')).toEqual({ 'cleanup.policy': 'delete,compact,delete' });
    await change(topic, 'orders', [
      ['cleanup.policy', remove, null],
      ['retention.ms', set, '1000'],
    ]);
    expect(stored.get('topics/orders')).toEqual({ 'retention.ms': '1000' });
  });

  it('changes one broker or all, and the settings follow', async () => {
    const { change, config, stored } = broker();
    await change(brokerResource, '', [['message.max.bytes', set, '12345']]);
    await change(brokerResource, '1', [['log.cleanup.policy', append, 'compact']]);
    expect(Object.fromEntries(stored)).toEqual({
      'brokers/<default>': { 'message.max.bytes': '12345' },
      'brokers/1': { 'log.cleanup.policy': 'delete,compact' },
    });
    expect([config.number('message.max.bytes'), config.list('log.cleanup.policy')]).toEqual([
      12345,
      ['delete', 'compact'],
    ]);
  });

  it('changes nothing when it is only to check', async () => {
    const { change, stored, log4j } = broker();
    await change(topic, 'orders', [['retention.ms', set, '1']], true);
    await change(brokerResource, '1', [['message.max.bytes', set, '1']], true);
    await change(logger, '1', [['kafka.server.KafkaApis', set, 'DEBUG']], true);
    expect(stored.size).toBe(0);
    expect(log4j.loggers.get('kafka.server.KafkaApis')).toBe('INFO');
  });

  it('sets levels of loggers', async () => {
    const { change, log4j } = broker();
    expect(await change(logger, '1', [['kafka.server.KafkaApis', set, 'DEBUG']])).toEqual([0, null]);
    expect(log4j.loggers.get('kafka.server.KafkaApis')).toBe('DEBUG');
    expect(await change(logger, '1', [['kafka.server.KafkaApis', remove, null]])).toEqual([0, null]);
    expect(log4j.loggers.get('kafka.server.KafkaApis')).toBe('INFO');
  });

  // Each as Apache Kafka 2.8.2 answers it.
  it.each<[number, string, readonly Change[], [number, string | null]]>([
    [topic, 'nope', [['retention.ms', set, '1']], [3, "The topic 'nope' does not exist."]],
    [topic, '', [['retention.ms', set, '1']], badValue("TOPIC, name=''", 'Path must not end with / character')],
    [topic, 'orders', [['foo', set, 'x']], [40, 'Unknown topic config name: foo']],
    [topic, 'orders', [['foo', append, 'x']], [-1, null]],
    [
      topic,
      'orders',
      [['retention.ms', set, 'x']],
      badValue("TOPIC, name='orders'", 'Invalid value x for configuration retention.ms: Not a number of type LONG'),
    ],
    [
      topic,
      'orders',
      [
        ['min.compaction.lag.ms', set, '9223372036854775807'],
        ['max.compaction.lag.ms', set, '10'],
      ],
      [40, 'conflict topic config setting min.compaction.lag.ms (9223372036854775807) > max.compaction.lag.ms (10)'],
    ],
    [
      topic,
      'orders',
      [['retention.ms', append, '1']],
      [42, 'Config value append is not allowed for config key: retention.ms'],
    ],
    [
      brokerResource,
      '1',
      [['num.io.threads', subtract, '1']],
      [42, 'Config value subtract is not allowed for config key: num.io.threads'],
    ],
    [brokerResource, '1', [['no.such', append, '1']], [-1, null]],
    [brokerResource, '1', [['num.io.threads', 9, '1']], [-1, null]],
    [
      brokerResource,
      '1',
      [
        ['num.io.threads', set, null],
        ['min.insync.replicas', append, null],
      ],
      [42, 'Null value not supported for : SET:num.io.threads,APPEND:min.insync.replicas'],
    ],
    [
      brokerResource,
      '1',
      [
        ['num.io.threads', set, '1'],
        ['num.io.threads', remove, null],
      ],
      [42, 'Error due to duplicate config keys : num.io.threads'],
    ],
    [
      brokerResource,
      '',
      [['log.roll.ms', set, '-5']],
      badValue("BROKER, name=''", 'requirement failed: log.roll.ms must be greater than or equal to 1'),
    ],
    [brokerResource, '2', [['num.io.threads', set, '1']], [42, 'Unexpected broker id, expected 1, but received 2']],
    [brokerResource, 'x', [['num.io.threads', set, '1']], [42, 'Broker id must be an integer, but it is: x']],
    [16, 'x', [['a', set, '1']], [42, 'Unexpected resource type UNKNOWN']],
    [
      logger,
      '1',
      [['kafka.server.KafkaApis', set, 'LOUD']],
      badValue(
        "BROKER_LOGGER, name='1'",
        'Cannot set the log level of kafka.server.KafkaApis to LOUD as it is not a supported log level. ' +
          'Valid log levels are TRACE, ERROR, INFO, FATAL, DEBUG, WARN',
      ),
    ],
    [logger, '1', [['no.such', set, 'INFO']], badValue("BROKER_LOGGER, name='1'", 'Logger no.such does not exist!')],
    [logger, '1', [['root', append, 'INFO']], [42, 'APPEND operation is not allowed for the BROKER_LOGGER resource']],
    [logger, '1', [['root', remove, null]], [42, 'Removing the log level of the root logger is not allowed']],
  ])('refuses for %i %p %j', async (type, name, changes, expected) => {
    const { change, stored } = broker();
    expect(await change(type, name, changes)).toEqual(expected);
    expect(stored.size).toBe(0);
  });
});

describe('AlterConfigs', () => {
  const alter = async (type: number, name: string, configs: { name: string; value: string | null }[]) => {
    const { send, stored } = broker();
    stored.set('topics/orders', { 'retention.ms': '5' });
    const resources = [{ resourceType: type, resourceName: name, configs }];
    const { responses } = await send('AlterConfigs', 1, { resources, validateOnly: false });
    return { answer: [responses![0]!.errorCode, responses![0]!.errorMessage], stored: stored.get('topics/orders') };
  };

  it('replaces all settings', async () => {
    const { answer, stored } = await alter(topic, 'orders', [{ name: 'cleanup.policy', value: 'compact' }]);
    expect(answer).toEqual([0, null]);
    expect(stored).toEqual({ 'cleanup.policy': 'compact' });
  });

  it('refuses loggers, and a request with a value that is missing as a whole', async () => {
    expect((await alter(logger, '1', [{ name: 'root', value: 'INFO' }])).answer).toEqual([
      42,
      'AlterConfigs is deprecated and does not support the resource type BROKER_LOGGER',
    ]);
    expect((await alter(topic, 'orders', [{ name: 'retention.ms', value: null }])).answer).toEqual([-1, null]);
  });
});

describe('DescribeConfigs', () => {
  it('tells every place that gives a setting a value, and its value as it was read', async () => {
    const { change, entries } = broker();
    await change(brokerResource, '', [['min.insync.replicas', set, '2']]);
    await change(brokerResource, '1', [['min.insync.replicas', set, '3']]);
    const { configs } = await entries(brokerResource, '1', ['min.insync.replicas', 'log.retention.hours', 'broker.id']);
    const told = configs!.map(({ name, value, readOnly, configSource, configType, synonyms }) => [
      [name, value, readOnly, configSource, configType],
      synonyms!.map((synonym) => [synonym.value, synonym.source]),
    ]);
    expect(told).toEqual([
      [
        ['log.retention.hours', '100', true, 4, 3],
        [
          ['0100', 4],
          ['168', 5],
        ],
      ],
      [
        ['broker.id', '1', true, 4, 3],
        [
          ['1', 4],
          ['-1', 5],
        ],
      ],
      [
        ['min.insync.replicas', '3', false, 2, 3],
        [
          ['3', 2],
          ['2', 3],
          ['1', 5],
        ],
      ],
    ]);
  });

  it('tells a topic its own settings before those of the broker', async () => {
    const { change, entries } = broker();
    await change(brokerResource, '', [['log.cleanup.policy', set, 'compact']]);
    await change(topic, 'orders', [['min.cleanable.dirty.ratio', set, '1']]);
    const { configs } = await entries(topic, 'orders', ['cleanup.policy', 'min.cleanable.dirty.ratio', 'retention.ms']);
    const told = configs!.map(({ name, value, configSource, documentation }) => [
      name,
      value,
      configSource,
      documentation,
    ]);
    expect(told).toEqual([
      ['cleanup.policy', 'compact', 3, 'topic cleanup.policy'],
      ['retention.ms', '360000000', 5, 'topic retention.ms'],
      ['min.cleanable.dirty.ratio', '1.0', 1, 'topic min.cleanable.dirty.ratio'],
    ]);
  });

  it('lists names in the order of the original, without internal ones', async () => {
    const { entries } = broker();
    const { configs } = await entries(brokerResource, '1', []);
    expect(configs).toHaveLength(218);
    expect(configs!.slice(0, 4).map(({ name }) => name)).toEqual([
      'log.cleaner.min.compaction.lag.ms',
      'offsets.topic.num.partitions',
      'log.flush.interval.messages',
      'controller.socket.timeout.ms',
    ]);
  });

  it('hides passwords and what nobody knows', async () => {
    const { change, entries } = broker();
    await change(brokerResource, '1', [['no.such.config', set, 'x']]);
    const { configs } = await entries(brokerResource, '1', ['no.such.config', 'ssl.key.password']);
    expect(configs!.map(({ value, isSensitive, configType }) => [value, isSensitive, configType])).toEqual([
      [null, true, 9],
      [null, true, 0],
    ]);
  });

  it.each<[number, string, [number, string]]>([
    [topic, 'nope', [3, '']],
    [topic, '', [17, "Topic name is illegal, it can't be empty"]],
    [brokerResource, '2', [42, 'Unexpected broker id, expected 1 or empty string, but received 2']],
    [brokerResource, 'x', [42, 'Broker id must be an integer, but it is: x']],
    [logger, '', [42, 'Broker id must not be empty']],
    [logger, '2', [42, 'Unexpected broker id, expected 1 but received 2']],
    [
      3,
      '1',
      [
        42,
        'This most likely occurs because of a request being malformed by the client library or the message was sent ' +
          'to an incompatible broker. See the broker logs for more details.',
      ],
    ],
  ])('refuses %i %p', async (type, name, expected) => {
    const { errorCode, errorMessage, configs } = await broker().entries(type, name);
    expect([errorCode, errorMessage, configs]).toEqual([...expected, []]);
  });
});
