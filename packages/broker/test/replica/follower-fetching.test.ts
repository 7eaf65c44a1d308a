import { describe, expect, it } from '@jest/globals';
import type { FetchPartitionData } from '../../src/replica/index.ts';
import { replicaSelectorOf } from '../../src/replica/index.ts';
import { clusterPerTest } from './cluster-per-test.ts';
import type { ReplicaCluster } from './replica-cluster.ts';

const rackAware = replicaSelectorOf('org.apache.kafka.common.replica.RackAwareReplicaSelector')!;
const leaderOnly = replicaSelectorOf('org.apache.kafka.common.replica.LeaderSelector')!;

const start = clusterPerTest({ racks: { 1: 'a', 2: 'b', 3: 'b' } });

function started(replicaSelector = rackAware): Promise<ReplicaCluster> {
  return start({ config: { replicaSelector } });
}

function fetchFrom(
  on: ReplicaCluster,
  id: number,
  rackId: string,
  fetchOffset: number,
  maxWaitMs = 0,
): Promise<FetchPartitionData> {
  const fetched = on.broker(id).replicaManager.fetchMessages({
    replicaId: -1,
    maxWaitMs,
    minBytes: 1,
    maxBytes: 1 << 20,
    hardMaxBytesLimit: false,
    isolation: 'read_uncommitted',
    clientMetadata: { rackId, clientId: 'c', listenerName: 'PLAINTEXT' },
    partitions: [
      { topic: 't', partition: 0, fetchOffset, logStartOffset: -1, maxBytes: 1 << 20, currentLeaderEpoch: -1 },
    ],
  });
  return fetched.then(([data]) => data!);
}

describe('a consumer with a rack (KIP-392)', () => {
  it('is sent by the leader to the replica in its rack that has what it wants, and reads there', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2, 3]);
    await on.settle(on.produce(1, key, ['a', 'b']));
    await on.until('all know', () => [2, 3].every((id) => on.values(id, key, 'high_watermark').size === 2));
    const sent = await fetchFrom(on, 1, 'b', 0);
    expect(sent).toMatchObject({ errorCode: 0, preferredReadReplica: 3, highWatermark: 2, logStartOffset: 0 });
    expect(sent.records.length).toBe(0);
    const read = await fetchFrom(on, 3, 'b', 0);
    expect(read).toMatchObject({ errorCode: 0, preferredReadReplica: -1, highWatermark: 2 });
    expect(read.records.length).toBeGreaterThan(0);
  });

  it('stays with the leader when that is in its rack, when nobody is, and when none there has what it wants', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a']));
    for (const rack of ['a', 'elsewhere', '']) {
      expect(await fetchFrom(on, 1, rack, 0)).toMatchObject({ preferredReadReplica: -1, errorCode: 0 });
    }
    on.network.cut(1, 2);
    await on.produce(1, key, ['b'], 1);
    expect(await fetchFrom(on, 1, 'b', 2)).toMatchObject({ preferredReadReplica: -1, errorCode: 0 });
  });

  it('goes to the one of its rack that is furthest', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2, 3]);
    await on.settle(on.produce(1, key, ['a']));
    on.network.cut(1, 3);
    await on.settle(on.produce(1, key, ['b'], 1));
    await on.until('broker 2 has it', () => on.partition(1, key).getReplica(2)?.logEndOffset === 2);
    expect(await fetchFrom(on, 1, 'b', 0)).toMatchObject({ preferredReadReplica: 2 });
  });

  it('that waits at a follower is answered when the follower learns a higher high watermark', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2, 3]);
    await on.time.advance(1000);
    const startMs = on.time.milliseconds();
    const waiting = fetchFrom(on, 3, 'b', 0, 20_000);
    await on.settle(on.produce(1, key, ['a']));
    expect((await on.settle(waiting)).records.length).toBeGreaterThan(0);
    expect(on.time.milliseconds() - startMs).toBeLessThan(2000);
  });

  it('reads from the leader alone with the LeaderSelector', async () => {
    const on = await started(leaderOnly);
    const key = await on.createPartition('t', [1, 2, 3]);
    await on.settle(on.produce(1, key, ['a']));
    expect(await fetchFrom(on, 1, 'b', 0)).toMatchObject({ preferredReadReplica: -1 });
  });
});
