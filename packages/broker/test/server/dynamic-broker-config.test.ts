import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@klassic/common';
import { describeWithReference, readReferenceJson } from '@klassic/test-support';
import { ConfigException, KafkaConfig } from '../../src/index.ts';
import {
  dynamicConnectionLimits,
  dynamicLogCleaner,
  dynamicLogConfig,
  dynamicMetricsReporters,
  dynamicThreadPool,
} from '../../src/server/broker-reconfigurables.ts';
import { addBrokerReconfigurables } from '../../src/server/dynamic-config-start.ts';
import { dynamicOnlyDefinitions } from '../../src/server/dynamic-config-definitions.ts';
import { DynamicBrokerConfig } from '../../src/server/dynamic-broker-config.ts';
import { PasswordEncoder } from '../../src/server/password-encoder.ts';

const file = { 'zookeeper.connect': 'localhost:1', 'broker.id': '1', 'log.retention.hours': '100' };

function encoderOf(secret: string): PasswordEncoder {
  return new PasswordEncoder({
    secret,
    keyFactoryAlgorithm: null,
    cipherAlgorithm: 'AES/CBC/PKCS5Padding',
    keyLength: 128,
    iterations: 1024,
    randomBytes,
  });
}

function broker(secrets: { secret?: string; old?: string } = {}) {
  const config = new KafkaConfig(file);
  const errors: string[] = [];
  const dynamic = new DynamicBrokerConfig({
    config,
    passwordEncoder: secrets.secret === undefined ? undefined : encoderOf(secrets.secret),
    oldPasswordEncoder: secrets.old === undefined ? undefined : encoderOf(secrets.old),
    logger: { ...silentLogger, error: (message) => errors.push(message) },
  });
  return { config, dynamic, errors };
}

describe('DynamicBrokerConfig', () => {
  it('puts what is set for the broker over what is set for all, and both over the file', () => {
    const { config, dynamic } = broker();
    dynamic.updateDefaultConfig({ 'message.max.bytes': '500', 'min.insync.replicas': '2' });
    dynamic.updateBrokerConfig(1, { 'message.max.bytes': '700' });
    expect(config.number('message.max.bytes')).toBe(700);
    expect(config.number('min.insync.replicas')).toBe(2);
    dynamic.updateBrokerConfig(1, {});
    expect(config.number('message.max.bytes')).toBe(500);
    dynamic.updateDefaultConfig({});
    expect(config.number('message.max.bytes')).toBe(1_048_588);
  });

  it('lets a setting replace those that say the same in other units', () => {
    const { config, dynamic } = broker();
    dynamic.updateDefaultConfig({ 'log.retention.ms': '5000' });
    expect(config.texts).toMatchObject({ 'log.retention.ms': '5000', 'log.retention.hours': '168' });
  });

  it('ignores what cannot be changed or read, and says so', () => {
    const { config, dynamic, errors } = broker();
    dynamic.updateBrokerConfig(1, { 'log.dirs': '/x', 'ssl.keystore.type': 'JKS', 'min.insync.replicas': '2' });
    expect(config.number('min.insync.replicas')).toBe(2);
    expect(config.logDirs).toEqual(['/tmp/kafka-logs']);
    dynamic.updateDefaultConfig({ 'advertised.listeners': 'PLAINTEXT://h:1', 'message.max.bytes': '-1' });
    expect(config.number('message.max.bytes')).toBe(1_048_588);
    expect(errors).toEqual([
      'Non-dynamic configs configured in ZooKeeper will be ignored: Set(log.dirs)',
      'Security configs can be dynamically updated only using listener prefix, base configs will be ignored: Set(ssl.keystore.type)',
      'Per-broker configs defined at default cluster level will be ignored: Set(advertised.listeners)',
      'Cluster default configs could not be applied: Set(message.max.bytes, advertised.listeners)',
    ]);
  });

  it.each<[string, Record<string, string>, boolean, string]>([
    [
      'a setting of the file only',
      { 'broker.id': '5' },
      true,
      'Cannot update these configs dynamically: Set(broker.id)',
    ],
    [
      'several of them, in hash order',
      { 'broker.id': '5', 'zookeeper.connect': 'a', 'log.dirs': 'x' },
      true,
      'Cannot update these configs dynamically: Set(zookeeper.connect, broker.id, log.dirs)',
    ],
    [
      'a key store for all listeners',
      { 'ssl.keystore.type': 'JKS' },
      true,
      'These security configs can be dynamically updated only per-listener using the listener prefix: HashSet(ssl.keystore.type)',
    ],
    [
      'listeners of all brokers',
      { listeners: 'PLAINTEXT://h:1', 'advertised.listeners': 'PLAINTEXT://h:1' },
      false,
      'Cannot update these configs at default cluster level, broker id must be specified: Set(listeners, advertised.listeners)',
    ],
    [
      'a negative rate',
      { 'leader.replication.throttled.rate': '-1' },
      true,
      'Invalid value -1 for configuration leader.replication.throttled.rate: Value must be at least 0',
    ],
    [
      'a small buffer',
      { 'log.cleaner.dedupe.buffer.size': '1000' },
      true,
      'log.cleaner.dedupe.buffer.size must be at least 1MB',
    ],
    [
      'far more threads',
      { 'num.io.threads': '20' },
      false,
      'Invalid value org.apache.kafka.common.config.ConfigException: Dynamic thread count update validation failed for num.io.threads=20, value should not be greater than double the current value 8 for configuration Invalid dynamic configuration',
    ],
    ['far fewer threads', { 'num.io.threads': '3' }, false, 'value should be at least half the current value 8'],
    [
      'far more cleaners',
      { 'log.cleaner.threads': '20' },
      true,
      'Log cleaner threads cannot be increased to more than double the current value 1',
    ],
    [
      'a reporter that is not here',
      { 'metric.reporters': 'no.such.Class' },
      false,
      'kafka.server.DynamicMetricsReporters',
    ],
    ['no connections at all', { 'max.connections': '0' }, true, 'Invalid max.connections 0'],
    [
      'the first of several faults in the order of the original',
      { 'log.cleaner.threads': '-1', 'log.segment.bytes': 'lz4' },
      true,
      'Invalid value lz4 for configuration log.segment.bytes: Not a number of type INT',
    ],
    ['a class that is not here', { 'principal.builder.class': 'x' }, true, 'Class x could not be found.'],
    [
      'no number as the limit of a listener',
      { 'listener.name.plaintext.max.connections': 'x' },
      true,
      'Invalid value x for configuration max.connections: Not a number of type INT',
    ],
  ])('refuses %s', (_name, props, perBroker, message) => {
    const { config, dynamic } = broker();
    dynamic.addBrokerReconfigurable(dynamicMetricsReporters);
    dynamic.addBrokerReconfigurable(dynamicThreadPool(config, () => undefined));
    dynamic.addBrokerReconfigurable(dynamicLogCleaner(config, () => undefined));
    dynamic.addBrokerReconfigurable(dynamicConnectionLimits(() => undefined));
    expect(() => dynamic.validate(props, perBroker)).toThrow(ConfigException);
    expect(() => dynamic.validate(props, perBroker)).toThrow(message);
  });

  it('allows names that nobody knows, and twice or half the threads', () => {
    const { config, dynamic } = broker();
    dynamic.addBrokerReconfigurable(dynamicThreadPool(config, () => undefined));
    dynamic.validate({ 'no.such.config': 'x', 'num.io.threads': '16', 'num.network.threads': '1' }, true);
    expect(config.number('num.io.threads')).toBe(8);
  });

  it('tells those concerned of a change, and nobody else', () => {
    const { dynamic } = broker();
    const defaults: string[] = [];
    let unclean = 0;
    const logManager = {
      reconfigureDefaultLogConfig: (texts: Readonly<Record<string, string>>) =>
        void defaults.push(texts['message.max.bytes']!),
    };
    dynamic.addBrokerReconfigurable(dynamicLogConfig(logManager, () => (unclean += 1)));
    dynamic.updateDefaultConfig({ 'message.max.bytes': '500' });
    dynamic.updateDefaultConfig({ 'message.max.bytes': '500', 'num.io.threads': '9' });
    dynamic.updateDefaultConfig({ 'message.max.bytes': '500', 'unclean.leader.election.enable': 'true' });
    expect(defaults).toEqual(['500', '500']);
    expect(unclean).toBe(1);
  });

  it('has a running broker follow its leaders with as many fetchers as num.replica.fetchers says', () => {
    const { config, dynamic } = broker();
    const sizes: number[] = [];
    const ignored = (): void => undefined;
    addBrokerReconfigurables(dynamic, {
      config,
      logs: { reconfigureCleaner: ignored, reconfigureDefaultLogConfig: ignored },
      socketServer: { reconfigure: ignored },
      replicaManager: { resizeFetcherThreadPool: (newSize) => void sizes.push(newSize) },
      controller: { enableDefaultUncleanLeaderElection: ignored },
      updateBrokerInfo: ignored,
    });
    dynamic.updateDefaultConfig({ 'num.replica.fetchers': '2' });
    dynamic.updateDefaultConfig({ 'num.replica.fetchers': '2', 'num.io.threads': '9' });
    dynamic.updateDefaultConfig({});
    expect(sizes).toEqual([2, 1]);
  });

  it('encrypts passwords for ZooKeeper, of one broker only, and with a secret only', () => {
    const { dynamic, errors } = broker({ secret: 'new' });
    const name = 'listener.name.external.ssl.keystore.password';
    const stored = dynamic.toPersistentProps({ [name]: 'pw', 'message.max.bytes': '5' }, true);
    expect(stored[name]).toContain('encryptedPassword:');
    expect(dynamic.fromPersistentProps(stored, true)).toEqual({ [name]: 'pw', 'message.max.bytes': '5' });
    expect(() => dynamic.toPersistentProps({ [name]: 'pw' }, false)).toThrow('only at broker level');
    expect(() => broker().dynamic.toPersistentProps({ [name]: 'pw' }, true)).toThrow('secret not configured');
    expect(dynamic.fromPersistentProps({ [name]: 'plain' }, true)).toEqual({});
    expect(errors).toEqual([`Dynamic password config ${name} could not be decoded, ignoring.`]);
  });

  it('encrypts passwords anew that the old secret opens', () => {
    const name = 'listener.name.external.ssl.key.password';
    const stored = { [name]: encoderOf('old').encode('pw'), 'message.max.bytes': '5' };
    expect(broker({ secret: 'new' }).dynamic.reEncodedPasswords(stored)).toBeUndefined();
    const { dynamic } = broker({ secret: 'new', old: 'old' });
    const changed = dynamic.reEncodedPasswords(stored)!;
    expect(dynamic.fromPersistentProps(changed, true)).toEqual({ [name]: 'pw', 'message.max.bytes': '5' });
    expect(dynamic.reEncodedPasswords(changed)).toBeUndefined();
  });
});

describeWithReference(describe)('settings that stand in ZooKeeper only', () => {
  it('are those of the reference', () => {
    const reference = readReferenceJson('vectors', 'configs', 'broker-dynamic-only.json') as {
      name: string;
      type: string;
      default: string;
      updateMode: string;
    }[];
    expect(Object.keys(dynamicOnlyDefinitions)).toEqual(reference.map(({ name }) => name));
    for (const { name, type, default: text, updateMode } of reference) {
      expect(dynamicOnlyDefinitions[name]).toMatchObject({ type, default: text, updateMode });
    }
  });
});
