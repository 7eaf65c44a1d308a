import { describe, expect, it } from '@jest/globals';
import { describeWithReference, readReferenceJson } from '@klassic/test-support';
import { ConfigException, configDefinitions, KafkaConfig } from '../../src/index.ts';

const minimal = { 'zookeeper.connect': '127.0.0.1:2181' };
const config = (settings: Record<string, string> = {}): KafkaConfig => new KafkaConfig({ ...minimal, ...settings });

describe('KafkaConfig', () => {
  it('has the reference defaults where nothing is said', () => {
    const defaults = config();
    expect(defaults.number('replica.lag.time.max.ms')).toBe(30_000);
    expect(defaults.boolean('auto.create.topics.enable')).toBe(true);
    expect(defaults.logDirs).toEqual(['/tmp/kafka-logs']);
    expect(defaults.listeners).toEqual([
      { host: '', port: 9092, listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT' },
    ]);
    expect(defaults.interBrokerCodec).toBe('msgpack');
  });

  it('reads listeners with names of their own, and advertises others', () => {
    const { listeners, advertisedListeners, interBrokerListenerName } = config({
      listeners: 'CLIENT://:9092,BROKER://127.0.0.1:9093',
      'advertised.listeners': 'CLIENT://example.org:19092,BROKER://127.0.0.1:9093',
      'listener.security.protocol.map': 'CLIENT:PLAINTEXT,BROKER:PLAINTEXT',
      'inter.broker.listener.name': 'BROKER',
    });
    expect(listeners.map(({ port }) => port)).toEqual([9092, 9093]);
    expect(advertisedListeners[0]).toMatchObject({ host: 'example.org', port: 19092, listenerName: 'CLIENT' });
    expect(interBrokerListenerName).toBe('BROKER');
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'a number that is none',
      { 'num.partitions': 'many' },
      /^Invalid value many for configuration num.partitions: Not a number of type INT$/,
    ],
    [
      'a number out of range',
      { 'num.partitions': '0' },
      /^Invalid value 0 for configuration num.partitions: Value must be at least 1$/,
    ],
    ['a number too large for its type', { 'num.partitions': '2147483648' }, /Not a number of type INT/],
    [
      'a boolean that is none',
      { 'auto.create.topics.enable': 'yes' },
      /auto.create.topics.enable: Expected value to be either true or false/,
    ],
    [
      'a word not allowed',
      { 'log.cleanup.policy': 'compact,burn' },
      /^Invalid value burn for configuration log.cleanup.policy: String must be one of: compact, delete$/,
    ],
    [
      'znodes that belong to nobody whom ZooKeeper knows',
      { 'zookeeper.set.acl': 'true' },
      /^zookeeper.set.acl is true, but this broker does not authenticate to ZooKeeper/,
    ],
    ['no ZooKeeper', { 'zookeeper.connect': '' }, /Missing required configuration 'zookeeper.connect'/],
    [
      'a listener without a port',
      { listeners: 'PLAINTEXT://host' },
      /configuration listeners: expected NAME:\/\/host:port/,
    ],
    [
      'two listeners on one port',
      { listeners: 'PLAINTEXT://:1,B://:1', 'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,B:PLAINTEXT' },
      /different port/,
    ],
    ['a listener of no protocol', { listeners: 'INSIDE://:9092' }, /No security protocol defined for listener INSIDE/],
    [
      'a protocol that is not served',
      { listeners: 'SSL://:9092' },
      /security protocol SSL is not served; use PLAINTEXT/,
    ],
    ['a broker id among the generated ones', { 'broker.id': '1001' }, /reserved.broker.max.id/],
    [
      'a protocol version that is not spoken',
      { 'inter.broker.protocol.version': '2.8' },
      /inter.broker.protocol.version/,
    ],
    ['a codec that is none', { 'inter.broker.codec': 'json' }, /inter.broker.codec/],
    [
      'fetches that wait longer than a follower may lag',
      { 'replica.fetch.wait.max.ms': '40000', 'replica.socket.timeout.ms': '50000' },
      /replica.lag.time.max.ms/,
    ],
  ])('refuses %s in one line that names the setting', (_name, settings, message) => {
    expect(() => config(settings)).toThrow(ConfigException);
    expect(() => config(settings)).toThrow(message);
  });

  it('tells settings that no broker knows', () => {
    expect(config({ 'num.partitons': '3' }).unknownKeys).toEqual(['num.partitons']);
  });
});

interface ReferenceDefinition {
  readonly name: string;
  readonly type: string;
  readonly default: string | null;
  readonly updateMode: string;
}

/** Klassic speaks 2.6 among its brokers (docs/differences.md); the reference's own default is its newest. */
const differing = new Set(['inter.broker.protocol.version']);

describeWithReference(describe)('configDefinitions', () => {
  it('are those of the reference, name by name', () => {
    const reference = readReferenceJson('vectors', 'configs', 'broker.json') as ReferenceDefinition[];
    expect(Object.keys(configDefinitions)).toEqual(reference.map(({ name }) => name));
    for (const { name, type, default: text, updateMode } of reference) {
      if (!differing.has(name))
        expect({ name, ...configDefinitions[name] }).toMatchObject({ name, type, default: text, updateMode });
    }
  });
});
