import { describe, expect, it } from '@jest/globals';
import { topicPartitionKey } from '@klassic/common';
import { buildBatch, Errors } from '@klassic/protocol';
import type { ApiName, RequestOf, ResponseOf } from '@klassic/protocol';
import type { SentRequest } from './network.ts';
import { clusterPerTest } from './cluster-per-test.ts';
import type { ReplicaCluster } from './replica-cluster.ts';

const started = clusterPerTest();

const backoffMs = 1000;

/** An answer to one partition of a fetch, as a leader without sessions gives it. */
function fetchAnswer(request: SentRequest, partitions: readonly object[]): ResponseOf<ApiName> | undefined {
  if (request.api !== 'Fetch') return undefined;
  const partitionResponses = partitions.map((partition) => ({
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions: null,
    preferredReadReplica: -1,
    recordSet: null,
    ...partition,
  }));
  const responses = [{ topic: 't', partitionResponses }];
  return { throttleTimeMs: 0, errorCode: 0, sessionId: 0, responses } as unknown as ResponseOf<ApiName>;
}

/** The partitions that a fetch names. */
function keysOf({ body }: SentRequest): string[] {
  return (body as RequestOf<'Fetch'>).topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition }) => topicPartitionKey(topic, partition)),
  );
}

/** The partitions that each of the fetches named, with the time of each. */
function fetched(on: ReplicaCluster, from: number): { atMs: number; keys: string[] }[] {
  return on.network
    .sent!.filter((request) => request.from === from && request.api === 'Fetch')
    .map((request) => ({ atMs: request.atMs, keys: keysOf(request) }));
}

function failedPartitions(on: ReplicaCluster, id: number): number {
  return on.broker(id).replicaManager.metrics().failedFetchPartitions;
}

function endOf(on: ReplicaCluster, id: number, key: string): number {
  return on.partition(id, key).log!.logEndOffset;
}

describe('num.replica.fetchers', () => {
  const four = [0, 1, 2, 3];

  it('may change while the broker runs: partitions are spread anew, and each goes on where it was', async () => {
    const on = await started({ brokers: 2 });
    const keys = await Promise.all(four.map((partition) => on.createPartition('t', [1, 2], partition)));
    const produceAll = async (value: string): Promise<void> => {
      const produced = Promise.all(keys.map((key) => on.produce(1, key, [value])));
      for (const { errorCode } of await on.settle(produced)) expect(errorCode).toBe(0);
    };
    await produceAll('a');
    expect(on.network.clientIds(2, 1)).toEqual(['broker-2-fetcher-0']);

    // The change comes while a fetch is on its way.
    const produced = Promise.all(keys.map((key) => on.produce(1, key, ['b'])));
    on.broker(2).replicaManager.resizeFetcherThreadPool(2);
    await on.settle(produced);
    await produceAll('c');
    expect(on.network.clientIds(2, 1).sort()).toEqual(['broker-2-fetcher-0', 'broker-2-fetcher-1']);

    on.broker(2).replicaManager.resizeFetcherThreadPool(1);
    await produceAll('d');
    expect(on.network.clientIds(2, 1)).toEqual(['broker-2-fetcher-0']);
    for (const key of keys) {
      expect([...on.values(2, key).values()]).toEqual(['a', 'b', 'c', 'd']);
      expect(on.state(key).isr).toEqual([1, 2]);
    }
    // A partition that comes later goes to the fetchers there are now.
    await on.createPartition('late', [1, 2]);
    expect(on.network.clientIds(2, 1)).toEqual(['broker-2-fetcher-0']);
  });

  it('gives each partition to the fetcher that the reference gives it to', async () => {
    const on = await started({ brokers: 2, config: { numReplicaFetchers: 3 } });
    on.network.sent = [];
    await Promise.all(four.map((partition) => on.createPartition('some-topic', [1, 2], partition)));
    await on.until('all are fetched', () => fetched(on, 2).flatMap(({ keys }) => keys).length === 4);
    const fetcherOf = new Map(
      on.network.sent.flatMap(({ clientId, api, body }) =>
        api !== 'Fetch'
          ? []
          : (body as RequestOf<'Fetch'>).topics.flatMap(({ partitions }) =>
              partitions.map(({ partition }): [number, string] => [partition, clientId.slice(-1)]),
            ),
      ),
    );
    // Java: abs(31 * topic.hashCode() + partition) % 3, in 32 bits.
    expect(four.map((partition) => fetcherOf.get(partition))).toEqual(four.map(referenceFetcher));
  });
});

/** `AbstractFetcherManager.getFetcherId` with exact integers, for three fetchers and "some-topic". */
function referenceFetcher(partition: number): string {
  let hash = 0n;
  for (const char of 'some-topic') hash = BigInt.asIntN(32, hash * 31n + BigInt(char.charCodeAt(0)));
  const mixed = BigInt.asIntN(32, 31n * hash + BigInt(partition));
  return String((mixed < 0n ? -mixed : mixed) % 3n);
}

describe('a fetcher', () => {
  it('is ended when nothing is left for it to fetch', async () => {
    const on = await started({ brokers: 2 });
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a']));
    expect(on.network.clientIds(2, 1)).toHaveLength(1);
    await on.elect(key, 2, [1, 2]);
    await on.settle(on.produce(2, key, ['b']));
    expect(on.network.clientIds(2, 1)).toEqual([]);
    expect(on.network.clientIds(1, 2)).toEqual(['broker-1-fetcher-0']);
  });

  it('of another leader is ended when the leader moves', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1, 2, 3]);
    await on.settle(on.produce(1, key, ['a']));
    expect(on.network.clientIds(3, 1)).toHaveLength(1);
    await on.elect(key, 2, [1, 2, 3]);
    await on.settle(on.produce(2, key, ['b']));
    expect([on.network.clientIds(3, 1), on.network.clientIds(3, 2)]).toEqual([[], ['broker-3-fetcher-0']]);
  });

  it('is not started by a broker that is about to leave', async () => {
    const on = await started({ brokers: 2 });
    on.network.sent = [];
    on.broker(2).replicaManager.prepareShutdown();
    const key = await on.createPartition('t', [1, 2]);
    await on.time.advance(3 * backoffMs);
    expect(on.network.sent).toEqual([]);
    expect(on.partition(2, key).leaderEpoch).toBe(0);
  });

  it('leaves a leader alone for replica.fetch.backoff.ms that cannot be reached', async () => {
    const on = await started({ brokers: 2 });
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a']));
    on.network.cut(1, 2);
    on.network.sent = [];
    await on.time.advance(10 * backoffMs);
    const tries = fetched(on, 2);
    // As the original does, it waits once for all and once more for each partition.
    expect(tries.length).toBeGreaterThanOrEqual(4);
    expect(tries.length).toBeLessThanOrEqual(10);
    on.network.healAll();
    await on.settle(on.produce(1, key, ['b']), 5 * backoffMs);
    expect(endOf(on, 2, key)).toBe(2);
  });

  it('leaves one partition alone that the leader refuses, and goes on with the others', async () => {
    const on = await started({ brokers: 2 });
    const refused = await on.createPartition('t', [1, 2], 0);
    const other = await on.createPartition('t', [1, 2], 1);
    on.network.answer = (request) =>
      request.api === 'Fetch' && keysOf(request).includes(refused)
        ? fetchAnswer(request, [
            { partition: 0, errorCode: Errors.UNKNOWN_TOPIC_OR_PARTITION.code },
            { partition: 1, errorCode: 0, highWatermark: 0, logStartOffset: 0 },
          ])
        : undefined;
    on.network.sent = [];
    await on.time.advance(10 * backoffMs);
    const asked = fetched(on, 2).filter(({ keys }) => keys.includes(refused));
    expect(asked.length).toBeGreaterThanOrEqual(8);
    const gaps = asked.slice(1).map(({ atMs }, index) => atMs - asked[index]!.atMs);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(backoffMs);
    expect(failedPartitions(on, 2)).toBe(0);
    const produced = on.produce(1, other, ['a'], 1);
    await on.settle(produced);
    await on.until('the other partition is replicated', () => endOf(on, 2, other) === 1, backoffMs);
  });

  it('waits for the controller when the leader knows a newer epoch, and takes the partition up again then', async () => {
    const on = await started({ brokers: 2 });
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a']));
    await on.elect(key, 1, [1, 2], [2]);
    await on.until('the partition is fenced', () => failedPartitions(on, 2) === 1);
    on.network.sent = [];
    await on.time.advance(5 * backoffMs);
    expect(on.network.sent).toEqual([]);
    await on.announce([key]);
    expect(failedPartitions(on, 2)).toBe(0);
    expect(await on.settle(on.produce(1, key, ['b']))).toMatchObject({ errorCode: 0 });
  });

  it('asks again when the leader has yet to hear of its own epoch', async () => {
    const on = await started({ brokers: 2 });
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a']));
    await on.elect(key, 1, [1, 2], [1]);
    await on.time.advance(3 * backoffMs);
    expect(failedPartitions(on, 2)).toBe(0);
    await on.announce([key]);
    expect(await on.settle(on.produce(1, key, ['b']), 2 * backoffMs)).toMatchObject({ errorCode: 0 });
  });

  it('fetches corrupt records again', async () => {
    const on = await started({ brokers: 2 });
    const key = await on.createPartition('t', [1, 2]);
    const recordSet = buildBatch({ records: [{ timestamp: 0, key: null, value: Buffer.from('x') }] });
    recordSet[recordSet.length - 1]! ^= 1;
    let corrupt = 0;
    on.network.answer = (request) => {
      if (request.api !== 'Fetch' || (corrupt += 1) > 2) return undefined;
      return fetchAnswer(request, [{ partition: 0, errorCode: 0, highWatermark: 0, logStartOffset: 0, recordSet }]);
    };
    await on.settle(on.produce(1, key, ['a']));
    expect(corrupt).toBeGreaterThan(2);
    expect([...on.values(2, key).values()]).toEqual(['a']);
    expect(failedPartitions(on, 2)).toBe(0);
  });

  it('gives a partition up whose records do not fit its log, and no other', async () => {
    const on = await started({ brokers: 2 });
    const key = await on.createPartition('t', [1, 2], 0);
    const other = await on.createPartition('t', [1, 2], 1);
    await on.settle(Promise.all([on.produce(1, key, ['a', 'b']), on.produce(1, other, ['a'])]));
    // Records of offset 0 come once more, where the log goes on at 2.
    const recordSet = buildBatch({ records: [{ timestamp: 0, key: null, value: Buffer.from('x') }] });
    let wrong = 1;
    on.network.answer = (request) => {
      if (request.api !== 'Fetch' || (wrong -= 1) < 0) return undefined;
      return fetchAnswer(request, [
        { partition: 0, errorCode: 0, highWatermark: 0, logStartOffset: 0, recordSet },
        { partition: 1, errorCode: 0, highWatermark: 0, logStartOffset: 0 },
      ]);
    };
    await on.until('the partition has failed', () => failedPartitions(on, 2) === 1);
    await on.settle(on.produce(1, other, ['b']));
    expect([endOf(on, 2, key), endOf(on, 2, other)]).toEqual([2, 2]);
    // The next leader epoch gives it another chance.
    await on.elect(key, 1, [1, 2]);
    expect(failedPartitions(on, 2)).toBe(0);
    await on.settle(on.produce(1, key, ['c']));
    expect([...on.values(2, key).values()]).toEqual(['a', 'b', 'c']);
  });

  it('takes no notice of an answer that comes after the controller has begun another epoch', async () => {
    const on = await started({ brokers: 2 });
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a']));
    on.network.latencyMs = () => 200;
    await on.produce(1, key, ['b'], 1);
    // The answer with b is on its way while the next epoch begins; it must not be appended twice.
    await on.time.advance(150);
    await on.elect(key, 1, [1, 2]);
    on.network.latencyMs = () => 1;
    await on.settle(on.produce(1, key, ['c']));
    expect([...on.values(2, key).values()]).toEqual(['a', 'b', 'c']);
    expect(failedPartitions(on, 2)).toBe(0);
  });
});

describe('a follower whose offset the leader does not have', () => {
  /** The leader says so, once; its log ends at `latest` and begins at `earliest`. */
  function outOfRange(on: ReplicaCluster, latest: number, earliest: number): void {
    let refusals = 1;
    on.network.answer = (request) => {
      if (request.api === 'ListOffsets') {
        const { topics } = request.body as RequestOf<'ListOffsets'>;
        const offset = topics[0]!.partitions[0]!.timestamp === -1 ? latest : earliest;
        const found = { partitionIndex: 0, errorCode: 0, timestamp: -1, offset, leaderEpoch: -1 };
        return { throttleTimeMs: 0, topics: [{ name: 't', partitions: [found] }] };
      }
      if (request.api !== 'Fetch' || (refusals -= 1) < 0) return undefined;
      return fetchAnswer(request, [{ partition: 0, errorCode: Errors.OFFSET_OUT_OF_RANGE.code }]);
    };
  }

  it("cuts its log to the leader's end, and the copy that is made in another log dir with it", async () => {
    // One batch at a time, for the follower and for the copy.
    const on = await started({ brokers: 2, logDirsPerBroker: 2, config: { replicaFetchMaxBytes: 10 } });
    const key = await on.createPartition('t', [1, 2]);
    for (const value of ['a', 'b', 'c', 'd', 'e', 'f']) await on.settle(on.produce(1, key, [value]));
    const { replicaManager } = on.broker(2);
    const log = on.partition(2, key).log!;
    // The copy is held back after four batches.
    replicaManager.quotas.alterLogDirs.updateQuota((log.size / 6) * 3);
    const logDir = on.logDirs(2).find((dir) => dir !== log.parentDir)!;
    await replicaManager.alterReplicaLogDirs([{ topic: 't', partition: 0, logDir }]);
    await on.time.advance(0);
    expect(on.partition(2, key).future.log?.logEndOffset).toBe(4);

    // The leader's disk loses what was not flushed, all in one leader epoch: epochs do not tell of it.
    on.partition(1, key).truncateTo(2);
    await on.until('the log is cut', () => log.logEndOffset === 2);
    for (const value of ['C', 'D', 'E', 'F']) await on.produce(1, key, [value], 1);
    await on.until('the log is whole again', () => log.logEndOffset === 6);
    replicaManager.quotas.alterLogDirs.updateQuota(Infinity);
    await on.until('the copy has taken its place', () => on.partition(2, key).log!.parentDir === logDir);
    expect([...on.values(2, key).values()]).toEqual(['a', 'b', 'C', 'D', 'E', 'F']);
  });

  it("begins anew where the leader's log begins", async () => {
    const on = await started({ brokers: 2 });
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a', 'b']));
    outOfRange(on, 9, 7);
    await on.until('the log begins anew', () => on.partition(2, key).log!.logStartOffset === 7);
    expect(endOf(on, 2, key)).toBe(7);
  });

  it('keeps its log when the leader has what comes next, after all', async () => {
    const on = await started({ brokers: 2 });
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a', 'b']));
    outOfRange(on, 2, 0);
    await on.settle(on.produce(1, key, ['c']));
    expect([...on.values(2, key).values()]).toEqual(['a', 'b', 'c']);
  });

  it('asks again later when the leader does not tell where its log ends', async () => {
    const on = await started({ brokers: 2 });
    const key = await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, key, ['a']));
    let refused = 0;
    on.network.answer = (request) => {
      if (request.api === 'ListOffsets') {
        const found = { partitionIndex: 0, errorCode: Errors.UNKNOWN_SERVER_ERROR.code, timestamp: -1, offset: -1 };
        return { throttleTimeMs: 0, topics: [{ name: 't', partitions: [found] }] };
      }
      if (request.api !== 'Fetch' || (refused += 1) > 3) return undefined;
      return fetchAnswer(request, [{ partition: 0, errorCode: Errors.OFFSET_OUT_OF_RANGE.code }]);
    };
    on.network.sent = [];
    await on.settle(on.produce(1, key, ['b']));
    expect(failedPartitions(on, 2)).toBe(0);
    const asked = on.network.sent.filter(({ api }) => api === 'ListOffsets');
    expect(asked).toHaveLength(3);
    expect(asked[1]!.atMs - asked[0]!.atMs).toBeGreaterThanOrEqual(backoffMs);
  });
});
