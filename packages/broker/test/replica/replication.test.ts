import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Errors } from '@klassic/protocol';
import type { FetchPartitionData } from '../../src/replica/index.ts';
import { clusterPerTest } from './cluster-per-test.ts';
import type { ReplicaCluster } from './replica-cluster.ts';

const started = clusterPerTest();

/** A consumer's fetch of one partition. */
function consume(
  on: ReplicaCluster,
  id: number,
  key: string,
  fetchOffset: number,
  options: { maxWaitMs?: number; minBytes?: number; currentLeaderEpoch?: number } = {},
): Promise<FetchPartitionData> {
  const { topic, partition } = on.state(key);
  const { maxWaitMs = 0, minBytes = 1, currentLeaderEpoch = -1 } = options;
  return on
    .broker(id)
    .replicaManager.fetchMessages({
      replicaId: -1,
      maxWaitMs,
      minBytes,
      maxBytes: 1 << 20,
      hardMaxBytesLimit: false,
      isolation: 'read_uncommitted',
      partitions: [{ topic, partition, fetchOffset, logStartOffset: -1, maxBytes: 1 << 20, currentLeaderEpoch }],
    })
    .then(([data]) => data!);
}

describe('replication from the leader to its followers', () => {
  it('answers acks=all when the whole ISR has the records, and moves the high watermark then', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2, 3]);
    const produced = on.produce(1, key, ['a', 'b', 'c']);
    expect(on.partition(1, key).log!.highWatermark).toBe(0);
    const response = await on.settle(produced);
    expect(response).toMatchObject({ errorCode: 0, baseOffset: 0, logStartOffset: 0 });
    expect(on.partition(1, key).log!.highWatermark).toBe(3);
    for (const id of [2, 3]) expect([...on.values(id, key).values()]).toEqual(['a', 'b', 'c']);
    // Followers learn the high watermark by their next fetch, within replica.fetch.wait.max.ms.
    await on.time.advance(1000);
    for (const id of [2, 3]) expect(on.partition(id, key).log!.highWatermark).toBe(3);
  });

  it('answers acks=1 and acks=0 at once', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2, 3]);
    expect(await on.produce(1, key, ['a'], 1)).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(await on.produce(1, key, ['b'], 0)).toMatchObject({ errorCode: 0, baseOffset: 1 });
    expect(await on.produce(1, key, ['b'], 2)).toMatchObject({ errorCode: Errors.INVALID_REQUIRED_ACKS.code });
  });

  it('times acks=all out when a follower of the ISR cannot fetch, though the records stay', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2, 3]);
    await on.time.advance(100);
    on.network.cut(1, 3);
    const produced = on.produce(1, key, ['a'], -1, 1500);
    expect(await on.settle(produced)).toMatchObject({ errorCode: Errors.REQUEST_TIMED_OUT.code, baseOffset: 0 });
    expect(on.partition(1, key).log!.logEndOffset).toBe(1);
    expect(on.partition(1, key).log!.highWatermark).toBe(0);
    on.network.heal(1, 3);
    await on.until('the high watermark moves', () => on.partition(1, key).log!.highWatermark === 1);
  });

  it('shows consumers nothing past the high watermark', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2, 3]);
    await on.settle(on.produce(1, key, ['a']));
    on.network.cut(1, 2);
    await on.produce(1, key, ['b'], 1);
    const first = await consume(on, 1, key, 0);
    expect(first).toMatchObject({ errorCode: 0, highWatermark: 1, lastStableOffset: 1 });
    expect(first.records.length).toBeGreaterThan(0);
    expect((await consume(on, 1, key, 1)).records.length).toBe(0);
    const { replicaManager } = on.broker(1);
    const latest = replicaManager.fetchOffsetForTimestamp(
      { topic: 't', partition: 0 },
      -1,
      'read_uncommitted',
      -1,
      true,
    );
    expect(latest).toMatchObject({ offset: 1, leaderEpoch: 0 });
  });

  it('wakes a waiting consumer when the high watermark brings enough bytes, or at its time', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2, 3]);
    await on.time.advance(100);
    const startMs = on.time.milliseconds();
    let wokenMs = 0;
    const fetch = consume(on, 1, key, 0, { maxWaitMs: 10_000 }).then((data) => {
      wokenMs = on.time.milliseconds();
      return data;
    });
    await on.time.advance(1000);
    expect(wokenMs).toBe(0);
    await on.settle(on.produce(1, key, ['a']));
    expect((await fetch).records.length).toBeGreaterThan(0);
    expect(wokenMs - startMs).toBeLessThan(1200);

    const many = consume(on, 1, key, 1, { maxWaitMs: 3000, minBytes: 100_000 });
    await on.settle(on.produce(1, key, ['b']));
    const beforeMs = on.time.milliseconds();
    const data = await on.settle(many);
    expect(on.time.milliseconds() - beforeMs).toBeGreaterThan(2000);
    expect(data.records.length).toBeGreaterThan(0);
    expect(on.broker(1).replicaManager.metrics().purgatorySizes).toMatchObject({ Produce: 0 });
  });

  it('answers a waiting fetch at once when leadership moves', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2, 3]);
    await on.time.advance(100);
    const fetch = consume(on, 1, key, 0, { maxWaitMs: 10_000, currentLeaderEpoch: 0 });
    const produced = on.produce(1, key, ['a']);
    await on.elect(key, 2, [1, 2, 3]);
    expect(await fetch).toMatchObject({ errorCode: Errors.FENCED_LEADER_EPOCH.code, highWatermark: -1 });
    expect(await produced).toMatchObject({ errorCode: Errors.NOT_LEADER_OR_FOLLOWER.code });
  });

  it('returns an out-of-range error, an unknown partition and a wrong leader by their codes', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a']));
    expect((await consume(on, 1, key, 99)).errorCode).toBe(Errors.OFFSET_OUT_OF_RANGE.code);
    expect((await consume(on, 2, key, 0)).errorCode).toBe(Errors.NOT_LEADER_OR_FOLLOWER.code);
    expect((await consume(on, 3, key, 0)).errorCode).toBe(Errors.NOT_LEADER_OR_FOLLOWER.code);
    expect((await consume(on, 1, key, 0, { currentLeaderEpoch: 9 })).errorCode).toBe(Errors.UNKNOWN_LEADER_EPOCH.code);
    on.states.set('no-0', { ...on.state(key), topic: 'no' });
    expect((await consume(on, 1, 'no-0', 0)).errorCode).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION.code);
    expect(await on.produce(2, key, ['b'])).toMatchObject({ errorCode: Errors.NOT_LEADER_OR_FOLLOWER.code });
  });

  it('refuses producers on internal topics', async () => {
    const on = await started();
    const key = await on.createPartition('__consumer_offsets', [1, 2, 3]);
    expect(await on.produce(1, key, ['a'])).toMatchObject({ errorCode: Errors.INVALID_TOPIC_EXCEPTION.code });
  });

  it('goes on from the checkpointed high watermark after a clean stop', async () => {
    const on = await started({ brokers: 1 });
    const key = await on.createPartition('t', [1]);
    await on.settle(on.produce(1, key, ['a', 'b']));
    await on.crash(1);
    await on.startBroker(1);
    await on.announce([key]);
    expect(on.partition(1, key).log!.highWatermark).toBe(2);
  });

  it('deletes records without waiting for a replica that is dead', async () => {
    const on = await started({ brokers: 2 });
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a', 'b']));
    await on.crash(2);
    await on.elect(key, 1, [1]);
    await on.produce(1, key, ['c'], 1);
    const deletion = { timeoutMs: 30_000, partitions: [{ topic: 't', partition: 0, offset: 2 }] };
    const deleted = await on.settle(on.broker(1).replicaManager.deleteRecords(deletion), 100);
    expect(deleted.get(key)).toMatchObject({ errorCode: 0, lowWatermark: 2 });
  });

  it('goes on from the high watermark checkpointed every five seconds after a crash', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1]);
    await on.produce(1, key, ['a', 'b'], 1);
    await on.time.advance(5000);
    await on.produce(1, key, ['c'], 1);
    await on.crash(1);
    await on.startBroker(1);
    await on.broker(1).leaderAndIsr(on.leaderAndIsrRequest([{ ...on.state(key), leader: 2, leaderEpoch: 1 }], false));
    expect(on.partition(1, key).log).toMatchObject({ logEndOffset: 3, highWatermark: 2 });
  });

  it('loses the log dir in which a high watermark checkpoint cannot be written', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1]);
    mkdirSync(join(on.logDirs(1)[0]!, 'replication-offset-checkpoint.background.tmp'));
    await on.time.advance(5000);
    await on.broker(1).replicaManager.checkpointHighWatermarks();
    await on.time.advance(0);
    expect((await on.produce(1, key, ['a'], 1)).errorCode).toBe(Errors.KAFKA_STORAGE_ERROR.code);
    expect(on.broker(1).replicaManager.metrics().offlineReplicaCount).toBe(1);
  });

  it('deletes records on every replica before it answers', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2, 3]);
    await on.settle(on.produce(1, key, ['a', 'b', 'c']));
    const deleted = on
      .broker(1)
      .replicaManager.deleteRecords({ timeoutMs: 5000, partitions: [{ topic: 't', partition: 0, offset: 2 }] });
    const results = await on.settle(deleted);
    expect(results.get(key)).toMatchObject({ errorCode: 0, lowWatermark: 2 });
    for (const id of [1, 2, 3]) expect(on.partition(id, key).log!.logStartOffset).toBe(2);
    expect((await consume(on, 1, key, 0)).errorCode).toBe(Errors.OFFSET_OUT_OF_RANGE.code);
  });
});
