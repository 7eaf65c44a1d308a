import { describe, expect, it } from '@jest/globals';
import { silentLoggers } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { RequestOf } from '@klassic/protocol';
import { MetadataCache } from '../../src/metadata/index.ts';

type Listeners = Readonly<Record<number, readonly string[]>>;

interface State {
  readonly topic: string;
  readonly partition: number;
  readonly leader: number;
  readonly isr?: readonly number[];
  readonly replicas?: readonly number[];
  readonly offlineReplicas?: readonly number[];
}

function update(listeners: Listeners, states: readonly State[], controllerId = 1): RequestOf<'UpdateMetadata'> {
  return {
    controllerId,
    controllerEpoch: 1,
    brokerEpoch: -1,
    ungroupedPartitionStates: [],
    topicStates: states.map(({ topic, partition, leader, isr, replicas, offlineReplicas }) => ({
      topicName: topic,
      partitionStates: [
        {
          topicName: '',
          partitionIndex: partition,
          controllerEpoch: 1,
          leader,
          leaderEpoch: 4,
          isr: isr ?? [1, 2],
          zkVersion: 0,
          replicas: replicas ?? [1, 2],
          offlineReplicas: offlineReplicas ?? [],
        },
      ],
    })),
    liveBrokers: Object.entries(listeners).map(([id, names]) => ({
      id: Number(id),
      rack: null,
      endpoints: names.map((listener) => ({ host: `host-${id}`, port: 9092, listener, securityProtocol: 0 })),
    })),
  } as unknown as RequestOf<'UpdateMetadata'>;
}

const both: Listeners = { 1: ['PLAINTEXT'], 2: ['PLAINTEXT'] };

function cacheAfter(...requests: RequestOf<'UpdateMetadata'>[]): MetadataCache {
  const cache = new MetadataCache(1, silentLoggers);
  for (const request of requests) cache.updateMetadata(1, request);
  return cache;
}

function onlyPartition(cache: MetadataCache, options = {}, listener = 'PLAINTEXT'): object {
  return cache.getTopicMetadata(['t'], listener, options)[0]!.partitions[0]!;
}

describe('MetadataCache', () => {
  it('is empty until the controller speaks', () => {
    const cache = cacheAfter();
    expect(cache.controllerId).toBeUndefined();
    expect(cache.getAllTopics()).toEqual([]);
    expect(cache.getTopicMetadata(['t'], 'PLAINTEXT')).toEqual([]);
    expect(cache.getAliveNodes('PLAINTEXT')).toEqual([]);
  });

  it('answers leader, replicas and ISR of the partitions in order', () => {
    const states = [1, 0].map((partition) => ({ topic: 't', partition, leader: 2 }));
    const cache = cacheAfter(update(both, states));
    const [topic] = cache.getTopicMetadata(['t', 'unknown'], 'PLAINTEXT');
    expect(topic).toMatchObject({ errorCode: 0, name: 't', isInternal: false });
    expect(topic!.partitions.map(({ partitionIndex }) => partitionIndex)).toEqual([0, 1]);
    expect(topic!.partitions[0]).toEqual({
      errorCode: 0,
      partitionIndex: 0,
      leaderId: 2,
      leaderEpoch: 4,
      replicaNodes: [1, 2],
      isrNodes: [1, 2],
      offlineReplicas: [],
    });
    expect(cache.getController('PLAINTEXT')).toEqual({ id: 1, host: 'host-1', port: 9092, rack: null });
    expect(cache.getPartitionLeaderEndpoint('t', 0, 'PLAINTEXT')?.id).toBe(2);
    expect([...cache.getPartitionReplicaEndpoints('t', 0, 'PLAINTEXT').keys()]).toEqual([1, 2]);
  });

  it('says LEADER_NOT_AVAILABLE for a leader that is dead or missing', () => {
    const dead = { topic: 't', partition: 0, leader: 2, offlineReplicas: [2] };
    const cache = cacheAfter(update({ 1: ['PLAINTEXT'] }, [dead]));
    expect(onlyPartition(cache)).toMatchObject({
      errorCode: Errors.LEADER_NOT_AVAILABLE.code,
      leaderId: -1,
      replicaNodes: [1, 2],
      offlineReplicas: [2],
    });
    const none = cacheAfter(update(both, [{ topic: 't', partition: 0, leader: -1, isr: [2] }]));
    expect(onlyPartition(none)).toMatchObject({ errorCode: Errors.LEADER_NOT_AVAILABLE.code, isrNodes: [2] });
  });

  it('says LISTENER_NOT_FOUND for a live leader without the listener, to those who understand it', () => {
    const listeners = { 1: ['PLAINTEXT', 'INTERNAL'], 2: ['PLAINTEXT'] };
    const cache = cacheAfter(update(listeners, [{ topic: 't', partition: 0, leader: 2 }]));
    const newer = { errorUnavailableListeners: true };
    expect(onlyPartition(cache, newer, 'INTERNAL')).toMatchObject({ errorCode: Errors.LISTENER_NOT_FOUND.code });
    expect(onlyPartition(cache, {}, 'INTERNAL')).toMatchObject({ errorCode: Errors.LEADER_NOT_AVAILABLE.code });
  });

  it('leaves unreachable replicas out for the oldest clients', () => {
    const cache = cacheAfter(update({ 1: ['PLAINTEXT'] }, [{ topic: 't', partition: 0, leader: 1 }]));
    expect(onlyPartition(cache, { errorUnavailableEndpoints: true })).toMatchObject({
      errorCode: Errors.REPLICA_NOT_AVAILABLE.code,
      leaderId: 1,
      replicaNodes: [1],
      isrNodes: [1],
    });
  });

  it('replaces brokers wholly and partitions one by one; leader -2 removes', () => {
    const cache = cacheAfter(
      update(both, [
        { topic: 't', partition: 0, leader: 1 },
        { topic: 't', partition: 1, leader: 1 },
        { topic: 'u', partition: 0, leader: 1 },
      ]),
      update({ 2: ['PLAINTEXT'] }, [], 2),
    );
    expect(cache.controllerId).toBe(2);
    expect(cache.getAliveBrokers().map(({ id }) => id)).toEqual([2]);
    expect(cache.getAllPartitions()).toHaveLength(3);
    const deleted = cache.updateMetadata(3, update(both, [{ topic: 'u', partition: 0, leader: -2 }]));
    expect(deleted).toEqual([{ topic: 'u', partition: 0 }]);
    expect(cache.contains('u')).toBe(false);
    expect([cache.contains('t', 1), cache.contains('t', 2), cache.numPartitions('t')]).toEqual([true, false, 2]);
    expect(cache.getNonExistingTopics(['t', 'u'])).toEqual(['u']);
  });

  it('knows the internal topics', () => {
    const cache = cacheAfter(update(both, [{ topic: '__consumer_offsets', partition: 0, leader: 1 }]));
    expect(cache.getTopicMetadata(['__consumer_offsets'], 'PLAINTEXT')[0]!.isInternal).toBe(true);
  });
});
