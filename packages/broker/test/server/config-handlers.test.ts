import { afterEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '@klassic/common';
import { KafkaConfig } from '../../src/index.ts';
import { configHandlers } from '../../src/server/config-handlers.ts';
import { DynamicBrokerConfig } from '../../src/server/dynamic-broker-config.ts';
import { TopicConfigs } from '../../src/server/topic-configs.ts';
import { ReplicaCluster } from '../replica/replica-cluster.ts';

let cluster: ReplicaCluster | undefined;

afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
});

/** What a change of `/config/brokers/<entity>` does to broker `id` of the cluster. */
function changeOf(on: ReplicaCluster, id: number): (entity: string, config: Readonly<Record<string, string>>) => void {
  const { replicaManager, logManager } = on.broker(id);
  const handlers = configHandlers({
    brokerId: id,
    dynamicConfig: new DynamicBrokerConfig({
      config: new KafkaConfig({ 'zookeeper.connect': 'h:1', 'broker.id': String(id) }),
      passwordEncoder: undefined,
      oldPasswordEncoder: undefined,
      logger: silentLogger,
    }),
    topicConfigs: new TopicConfigs({
      getAllTopicsInCluster: () => Promise.resolve([]),
      getEntityConfigs: () => Promise.resolve({}),
      getEntitiesConfigs: () => Promise.resolve(new Map()),
    }),
    logManager,
    controller: { enableTopicUncleanLeaderElection: () => undefined },
    replicationQuotas: replicaManager.quotas,
  });
  return (entity, config) => {
    void handlers.brokers!.processConfigChanges(entity, config);
  };
}

describe('a change of /config/brokers', () => {
  it('sets, changes and lifts the rate of a replication throttle while a follower catches up (KIP-73)', async () => {
    const config = { replicaFetchMaxBytes: 2000, replicaFetchResponseMaxBytes: 2000, replicaFetchBackoffMs: 100 };
    const topicConfigs = { 'follower.replication.throttled.replicas': '*' };
    const on = (cluster = await new ReplicaCluster({ brokers: 2, config, topicConfigs }).start());
    const key = await on.createPartition('t', [1, 2]);
    await on.crash(2);
    await on.elect(key, 1, [1]);
    for (let count = 0; count < 60; count += 1) await on.settle(on.produce(1, key, ['x'.repeat(1000)]));
    await on.startBroker(2);
    const change = changeOf(on, 2);
    const fetchedWithin = async (ms: number): Promise<number> => {
      const before = on.partition(2, key).log!.logEndOffset;
      await on.time.advance(ms);
      return on.partition(2, key).log!.logEndOffset - before;
    };

    change('2', { 'follower.replication.throttled.rate': '1000' });
    await on.announce([key]);
    expect(await fetchedWithin(5000)).toBeLessThan(12);
    // Another broker's rate, or one for all of them, is none for this one.
    change('1', { 'follower.replication.throttled.rate': '1000000' });
    change('<default>', { 'follower.replication.throttled.rate': '1000000' });
    expect(await fetchedWithin(5000)).toBeLessThan(10);
    change('2', { 'follower.replication.throttled.rate': '4000' });
    const faster = await fetchedWithin(5000);
    expect(faster).toBeGreaterThan(10);
    expect(faster).toBeLessThan(40);
    change('2', {});
    await on.until('the follower has caught up', () => on.state(key).isr.length === 2, 1500);
  });

  it('sets each of the three rates by its own name', async () => {
    const on = (cluster = await new ReplicaCluster({ brokers: 1 }).start());
    const change = changeOf(on, 1);
    const { leader, follower, alterLogDirs } = on.broker(1).replicaManager.quotas;
    const exceeded = (): boolean[] =>
      [leader, follower, alterLogDirs].map((quota) => {
        quota.record(100);
        return quota.isQuotaExceeded;
      });
    expect(exceeded()).toEqual([false, false, false]);
    change('1', { 'leader.replication.throttled.rate': '1' });
    expect(exceeded()).toEqual([true, false, false]);
    change('1', { 'follower.replication.throttled.rate': '1' });
    expect(exceeded()).toEqual([false, true, false]);
    change('1', { 'replica.alter.log.dirs.io.max.bytes.per.second': '1' });
    expect(exceeded()).toEqual([false, false, true]);
    change('1', {});
    expect(exceeded()).toEqual([false, false, false]);
  });
});
