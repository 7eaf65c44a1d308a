import { describe, expect, it } from '@jest/globals';
import { brokerProperties } from '../src/cluster/broker-properties.ts';
import { checkUpOptions, defaultUpOptions, parseOverrides } from '../src/cluster/up-options.ts';

describe('checkUpOptions', () => {
  it.each([
    [{ brokers: 0 }, '--brokers must be a whole number from 1 to 50'],
    [{ brokers: 2.5 }, '--brokers must be a whole number from 1 to 50'],
    [{ brokers: Number.NaN }, '--brokers must be a whole number from 1 to 50'],
    [{ basePort: 65_535 }, '--base-port must be a whole number from 1 to 65533'],
    [{ zooKeeperPort: 0 }, '--zookeeper-port must be a whole number from 1 to 65535'],
    [{ basePort: 2180 }, 'port 2181 was given to ZooKeeper and to a broker: change --base-port'],
    [{ zooKeeper: 'nonsense' }, "--zookeeper must be host:port[,host:port…][/chroot], not 'nonsense'"],
    [{ zooKeeper: 'a:1', runtime: 'docker' as const }, '--zookeeper goes with --runtime process'],
  ])('refuses %j in one line', (options, message) => {
    expect(() => checkUpOptions({ ...defaultUpOptions, ...options })).toThrow(message);
  });

  it('takes a chroot and several servers', () => {
    const zooKeeper = '127.0.0.1:2181,zoo2:2181/klassic/lab';
    expect(checkUpOptions({ ...defaultUpOptions, zooKeeper }).zooKeeper).toBe(zooKeeper);
  });
});

describe('parseOverrides', () => {
  it('splits at the first equals sign', () => {
    expect(parseOverrides(['a.b=c=d', 'e='])).toEqual({ 'a.b': 'c=d', e: '' });
  });

  it('refuses other text, and what the lab sets itself', () => {
    expect(() => parseOverrides(['foo'])).toThrow("--override must be key=value, not 'foo'");
    expect(() => parseOverrides(['=x'])).toThrow("--override must be key=value, not '=x'");
    expect(() => parseOverrides(['broker.id=4'])).toThrow('--override broker.id: the lab sets this');
  });
});

describe('brokerProperties', () => {
  it('replicates no more often than there are brokers; overrides win', () => {
    const common = { id: 2, listeners: 'PLAINTEXT://127.0.0.1:9093', dataFolder: '/d', zooKeeperConnect: 'z:2181' };
    const properties = brokerProperties({ ...common, brokers: 1, overrides: { 'num.partitions': '4' } });
    expect(properties).toMatchObject({
      'broker.id': '2',
      'offsets.topic.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
      'num.partitions': '4',
    });
    expect(brokerProperties({ ...common, brokers: 5 })['default.replication.factor']).toBe('3');
  });
});
