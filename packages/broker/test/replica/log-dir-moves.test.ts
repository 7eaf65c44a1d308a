import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Errors } from '@klassic/protocol';
import { alterReplicaLogDirsHandler } from '../../src/apis/alter-replica-log-dirs.ts';
import { describeLogDirsHandler } from '../../src/apis/describe-log-dirs.ts';
import { clusterPerTest } from './cluster-per-test.ts';
import type { ReplicaCluster } from './replica-cluster.ts';

const started = clusterPerTest({ logDirsPerBroker: 2 });

/** The log dir a replica lies in, and the one it does not. */
function placesOf(on: ReplicaCluster, id: number, key: string): { here: string; there: string } {
  const here = on.partition(id, key).log!.parentDir;
  return { here, there: on.logDirs(id).find((dir) => dir !== here)! };
}

async function move(on: ReplicaCluster, id: number, partition: number, logDir: string): Promise<number | undefined> {
  const errors = await on.broker(id).replicaManager.alterReplicaLogDirs([{ topic: 't', partition, logDir }]);
  return errors.get(`t-${partition}`)?.code;
}

describe('a move to another log dir', () => {
  it('copies the log while it grows, then takes its place', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a', 'b']));
    const { here, there } = placesOf(on, 1, key);
    expect(await move(on, 1, 0, there)).toBe(0);
    expect(on.partition(1, key).future.log?.parentDir).toBe(there);
    const before = on.broker(1).replicaManager.describeLogDirs();
    expect(before.flatMap(({ logs }) => logs).map(({ isFuture, offsetLag }) => [isFuture, offsetLag])).toEqual(
      expect.arrayContaining([
        [false, 0],
        [true, 2],
      ]),
    );
    await on.settle(on.produce(1, key, ['c']));
    await on.until('the log has moved', () => on.partition(1, key).log?.parentDir === there);
    expect(on.partition(1, key).future.log).toBeUndefined();
    await on.settle(on.produce(1, key, ['d']));
    expect([...on.values(1, key).values()]).toEqual(['a', 'b', 'c', 'd']);
    expect([...on.values(1, key, 'high_watermark').values()]).toEqual(['a', 'b', 'c', 'd']);
    expect(existsSync(join(there, key))).toBe(true);
    expect(existsSync(join(here, key))).toBe(false);
  });

  it('has the high watermarks of both logs checkpointed, each in its log dir', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1]);
    await on.produce(1, key, ['a', 'b'], 1);
    on.broker(1).replicaManager.quotas.alterLogDirs.updateQuota(1);
    on.broker(1).replicaManager.quotas.alterLogDirs.record(1000);
    const { here, there } = placesOf(on, 1, key);
    expect(await move(on, 1, 0, there)).toBe(0);
    await on.broker(1).replicaManager.checkpointHighWatermarks();
    const texts = [here, there].map((dir) => readFileSync(join(dir, 'replication-offset-checkpoint'), 'utf8'));
    expect(texts).toEqual(['0\n1\nt 0 2\n', '0\n1\nt 0 0\n']);
  });

  it('of a follower goes on under a new leader epoch, and after a restart', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a', 'b']));
    await on.until('the follower has it', () => on.values(2, key).size === 2);
    on.broker(2).replicaManager.quotas.alterLogDirs.updateQuota(1);
    on.broker(2).replicaManager.quotas.alterLogDirs.record(1000);
    const { there } = placesOf(on, 2, key);
    expect(await move(on, 2, 0, there)).toBe(0);
    await on.time.advance(3000);
    expect(on.partition(2, key).future.log?.logEndOffset).toBe(0);
    await on.elect(key, 1, [1, 2]);
    await on.crash(2);
    await on.startBroker(2);
    await on.elect(key, 1, [1]);
    await on.until('the log has moved', () => on.partition(2, key).log?.parentDir === there);
    await on.settle(on.produce(1, key, ['c']));
    await on.until('the follower goes on', () => on.values(2, key).size === 3);
  });

  it('is no faster than replica.alter.log.dirs.io.max.bytes.per.second', async () => {
    const on = await started({ config: { replicaFetchMaxBytes: 100, replicaFetchBackoffMs: 100 } });
    const key = await on.createPartition('t', [1]);
    for (let count = 0; count < 20; count += 1) await on.settle(on.produce(1, key, ['x'.repeat(100)]));
    const bytes = on.partition(1, key).log!.size;
    const { there } = placesOf(on, 1, key);
    on.broker(1).replicaManager.quotas.alterLogDirs.updateQuota(bytes / 5);
    const startMs = on.time.milliseconds();
    await move(on, 1, 0, there);
    await on.until('the log has moved', () => on.partition(1, key).log?.parentDir === there);
    expect(on.time.milliseconds() - startMs).toBeGreaterThan(3000);
  });

  it('is given up when the replica is sent elsewhere, or deleted', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1]);
    await on.settle(on.produce(1, key, ['a']));
    const { here, there } = placesOf(on, 1, key);
    await move(on, 1, 0, there);
    expect(readdirSync(there).some((name) => name.endsWith('-future'))).toBe(true);
    expect(await move(on, 1, 0, here)).toBe(0);
    expect(on.partition(1, key).future.log).toBeUndefined();
    await on.time.advance(70_000);
    expect(readdirSync(there).filter((name) => name.startsWith('t-'))).toEqual([]);
    expect(on.partition(1, key).log?.parentDir).toBe(here);
  });

  it('is refused with the reference’s errors', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1]);
    const [, dir = ''] = on.logDirs(1);
    expect(await move(on, 1, 0, '/nowhere')).toBe(Errors.LOG_DIR_NOT_FOUND.code);
    expect(await move(on, 1, 9, dir)).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION.code);
    const name = 'x'.repeat(240);
    const moves = [{ topic: name, partition: 0, logDir: dir }];
    const tooLong = await on.broker(1).replicaManager.alterReplicaLogDirs(moves);
    expect(tooLong.get(`${name}-0`)).toBe(Errors.INVALID_TOPIC_EXCEPTION);
    await on.updateMetadata(2, [key]);
    expect(await move(on, 2, 0, on.logDirs(2)[0]!)).toBe(Errors.REPLICA_NOT_AVAILABLE.code);
  });

  it('decides where a replica is made that is not here yet', async () => {
    const on = await started();
    for (const [partition, dir] of [0, 1, 0].entries()) {
      await move(on, 1, partition, on.logDirs(1)[dir]!);
      const key = await on.createPartition('t', [1], partition);
      expect(on.partition(1, key).log?.parentDir).toBe(on.logDirs(1)[dir]);
    }
  });

  it('ends when its log dir fails, and the replica stays where it was', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1]);
    await on.settle(on.produce(1, key, ['a']));
    const { there } = placesOf(on, 1, key);
    await move(on, 1, 0, there);
    on.broker(1).replicaManager.handleLogDirFailure(there);
    await on.time.advance(1000);
    await on.settle(on.produce(1, key, ['b']));
    expect([...on.values(1, key).values()]).toEqual(['a', 'b']);
    const offline = on.broker(1).replicaManager.describeLogDirs();
    expect(offline.filter(({ isOffline }) => isOffline).map(({ logDir }) => logDir)).toEqual([there]);
    expect(await move(on, 1, 0, there)).toBe(Errors.KAFKA_STORAGE_ERROR.code);
  });
});

describe('a log dir that fails', () => {
  it('takes its replicas offline, and no others', async () => {
    const on = await started();
    const keys = [await on.createPartition('t', [1]), await on.createPartition('t', [1], 1)];
    const { here } = placesOf(on, 1, keys[0]!);
    expect(placesOf(on, 1, keys[1]!).here).not.toBe(here);
    const waiting = on.broker(1).replicaManager.fetchMessages({
      replicaId: -1,
      maxWaitMs: 30_000,
      minBytes: 1,
      maxBytes: 1000,
      hardMaxBytesLimit: false,
      isolation: 'read_uncommitted',
      partitions: [
        { topic: 't', partition: 0, fetchOffset: 0, logStartOffset: -1, maxBytes: 1000, currentLeaderEpoch: -1 },
      ],
    });
    on.broker(1).replicaManager.handleLogDirFailure(here);
    expect((await waiting)[0]?.errorCode).toBe(Errors.KAFKA_STORAGE_ERROR.code);
    const appended = async (key: string): Promise<number> => (await on.settle(on.produce(1, key, ['a'], 1))).errorCode;
    expect(await appended(keys[0]!)).toBe(Errors.KAFKA_STORAGE_ERROR.code);
    expect(await appended(keys[1]!)).toBe(0);
    expect(on.broker(1).replicaManager.metrics()).toMatchObject({ offlineReplicaCount: 1, partitionCount: 2 });
    on.write(keys[0]!, 1, [1]);
    expect((await on.leaderAndIsr(1, [keys[0]!])).get(keys[0]!)).toBe(Errors.KAFKA_STORAGE_ERROR.code);
  });
});

describe('DescribeLogDirs and AlterReplicaLogDirs', () => {
  it('answer by log dir and topic, and name topics of which nothing was asked for', async () => {
    const on = await started();
    await on.createPartition('t', [1]);
    await on.createPartition('t', [1], 1);
    const { replicaManager } = on.broker(1);
    const ask = (topics: { topic: string; partitionIndex: number[] }[] | null): unknown =>
      describeLogDirsHandler(replicaManager).handle({ body: { topics } } as never);
    const result = (logDir: string, partitions: number[]): object => ({
      errorCode: 0,
      logDir,
      topics: [
        {
          name: 't',
          partitions: partitions.map((partitionIndex) => ({
            partitionIndex,
            partitionSize: 0,
            offsetLag: 0,
            isFutureKey: false,
          })),
        },
      ],
    });
    const [first = '', second = ''] = on.logDirs(1);
    const places = [on.partition(1, 't-0').log!.parentDir, on.partition(1, 't-1').log!.parentDir];
    const here = (dir: string, asked: number[]): number[] => asked.filter((index) => places[index] === dir);
    expect(ask(null)).toEqual({ results: [result(first, here(first, [0, 1])), result(second, here(second, [0, 1]))] });
    expect(ask([{ topic: 't', partitionIndex: [1, 7] }])).toEqual({
      results: [result(first, here(first, [1])), result(second, here(second, [1]))],
    });
  });

  it('count the last log dir that is named for a partition', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1]);
    const { here } = placesOf(on, 1, key);
    const topics = [{ name: 't', partitions: [0, 5] }];
    const dirs = [
      { path: '/nowhere', topics },
      { path: here, topics: [{ name: 't', partitions: [0] }] },
    ];
    const handler = alterReplicaLogDirsHandler(on.broker(1).replicaManager);
    expect(await handler.handle({ body: { dirs } } as never)).toEqual({
      results: [
        {
          topicName: 't',
          partitions: [
            { partitionIndex: 0, errorCode: 0 },
            { partitionIndex: 5, errorCode: Errors.LOG_DIR_NOT_FOUND.code },
          ],
        },
      ],
    });
  });
});
