import { describe, expect, it } from '@jest/globals';
import { batchesOf, Errors } from '@klassic/protocol';
import type { FetchMessagesOptions, FetchPartitionData, FetchRequestPartition } from '../../src/replica/index.ts';
import { clusterPerTest } from './cluster-per-test.ts';
import type { ReplicaCluster, ReplicaClusterOptions } from './replica-cluster.ts';

const start = clusterPerTest({ brokers: 1 });

/** One broker with partitions t-0, t-1, … of it alone, and three batches of a hundred bytes and more in each. */
async function started(partitions: number, options: ReplicaClusterOptions = {}): Promise<ReplicaCluster> {
  const on = await start(options);
  for (let partition = 0; partition < partitions; partition += 1) {
    const key = await on.createPartition('t', [1], partition);
    for (const char of ['a', 'b', 'c']) await on.produce(1, key, [char.repeat(100)], 1);
  }
  return on;
}

const plenty = 1 << 20;

type Asked = readonly (Partial<FetchRequestPartition> & { readonly partition: number })[];

function fetch(
  on: ReplicaCluster,
  asked: Asked,
  options: Partial<FetchMessagesOptions> = {},
): Promise<FetchPartitionData[]> {
  return on.broker(1).replicaManager.fetchMessages({
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: plenty,
    hardMaxBytesLimit: false,
    isolation: 'read_uncommitted',
    partitions: asked.map((each) => ({
      topic: 't',
      fetchOffset: 0,
      logStartOffset: -1,
      maxBytes: plenty,
      currentLeaderEpoch: -1,
      ...each,
    })),
    ...options,
  });
}

/** How many whole batches there are of each partition. */
function batches(fetched: readonly FetchPartitionData[]): number[] {
  return fetched.map(({ records }) => [...batchesOf(records)].length);
}

function waiting(on: ReplicaCluster): readonly [delayed: number, watches: number] {
  const { purgatorySizes, purgatoryWatches } = on.broker(1).replicaManager.metrics();
  return [purgatorySizes.Fetch, purgatoryWatches.Fetch];
}

describe('how much a fetch brings', () => {
  it('is no more than max.partition.fetch.bytes of each partition', async () => {
    const on = await started(2);
    const size = on.partition(1, 't-0').log!.size / 3;
    expect(batches(await fetch(on, [{ partition: 0, maxBytes: 2 * size }, { partition: 1 }]))).toEqual([2, 3]);
  });

  it('is no more than fetch.max.bytes of all of them, in their order', async () => {
    const on = await started(3);
    const size = on.partition(1, 't-0').log!.size / 3;
    const asked = [{ partition: 2 }, { partition: 0 }, { partition: 1 }];
    expect(batches(await fetch(on, asked, { maxBytes: 4 * size }))).toEqual([3, 1, 0]);
  });

  it('is one batch of the first partition that has any, however large it is', async () => {
    const on = await started(3);
    const asked = [{ partition: 1, fetchOffset: 3 }, { partition: 0 }, { partition: 2 }];
    expect(batches(await fetch(on, asked, { maxBytes: 1 }))).toEqual([0, 1, 0]);
    // Of the others not even a piece of a batch is sent.
    const two = await fetch(on, [{ partition: 0 }, { partition: 2, maxBytes: 10 }]);
    expect(two.map(({ records }) => records.length > 0)).toEqual([true, false]);
    expect(batches(await fetch(on, [{ partition: 2, maxBytes: 10 }]))).toEqual([1]);
  });

  it('is cut to the byte for clients of before Fetch version 3', async () => {
    const on = await started(1);
    const fetched = await fetch(on, [{ partition: 0 }], { maxBytes: 10, hardMaxBytesLimit: true });
    expect(fetched[0]?.records).toHaveLength(10);
  });
});

describe('a fetch waits', () => {
  it('for fetch.min.bytes over all its partitions, and no longer', async () => {
    const on = await started(2);
    const size = on.partition(1, 't-0').log!.size / 3;
    const asked = [
      { partition: 0, fetchOffset: 3 },
      { partition: 1, fetchOffset: 3 },
    ];
    let answer: FetchPartitionData[] | undefined;
    void fetch(on, asked, { maxWaitMs: 10_000, minBytes: 2 * size }).then((fetched) => (answer = fetched));
    await on.produce(1, 't-0', ['d'.repeat(100)], 1);
    await on.time.advance(5000);
    expect(answer).toBeUndefined();
    expect(waiting(on)).toEqual([1, 2]);
    await on.produce(1, 't-1', ['d'.repeat(100)], 1);
    await on.time.advance(0);
    expect(batches(answer!)).toEqual([1, 1]);
    expect(waiting(on)).toEqual([0, 0]);
  });

  it('for fetch.max.wait.ms at most, and brings what there is then', async () => {
    const on = await started(1);
    let answer: FetchPartitionData[] | undefined;
    void fetch(on, [{ partition: 0, fetchOffset: 3 }], { maxWaitMs: 500, minBytes: plenty }).then(
      (fetched) => (answer = fetched),
    );
    await on.produce(1, 't-0', ['d'], 1);
    await on.time.advance(499);
    expect(answer).toBeUndefined();
    await on.time.advance(1);
    expect(batches(answer!)).toEqual([1]);
    expect(waiting(on)).toEqual([0, 0]);
  });

  it('not at all where one of its partitions has an error, or it asks for nothing', async () => {
    const on = await started(1);
    const [good, bad] = await fetch(on, [{ partition: 0 }, { partition: 7 }], { maxWaitMs: 500, minBytes: plenty });
    expect([good?.records.length, bad?.errorCode]).toEqual([
      on.partition(1, 't-0').log!.size,
      Errors.UNKNOWN_TOPIC_OR_PARTITION.code,
    ]);
    expect(await fetch(on, [], { maxWaitMs: 500 })).toEqual([]);
  });

  it('no more once the log has rolled on to another segment, or was cut', async () => {
    const on = await started(1, { topicConfigs: { 'segment.bytes': '400' } });
    const answered: string[] = [];
    const wait = (name: string, fetchOffset: number): void => {
      const asked = [{ partition: 0, fetchOffset }];
      void fetch(on, asked, { maxWaitMs: 60_000, minBytes: plenty, replicaId: 9 }).then(() => answered.push(name));
    };
    wait('roll', 3);
    while (on.partition(1, 't-0').log!.segmentBaseOffsets.length < 3) await on.produce(1, 't-0', ['x'.repeat(100)], 1);
    await on.time.advance(0);
    expect(answered).toEqual(['roll']);
    wait('cut', on.partition(1, 't-0').log!.logEndOffset);
    on.partition(1, 't-0').truncateTo(1);
    await on.produce(1, 't-0', ['x'], 1);
    await on.time.advance(0);
    expect(answered).toEqual(['roll', 'cut']);
  });

  it('no more once a newer leader epoch has begun', async () => {
    const on = await started(1);
    const waited = fetch(on, [{ partition: 0, fetchOffset: 3, currentLeaderEpoch: 0 }], { maxWaitMs: 60_000 });
    await on.elect('t-0', 1, [1]);
    await on.produce(1, 't-0', ['d'], 1);
    expect((await on.settle(waited, 100))[0]?.errorCode).toBe(Errors.FENCED_LEADER_EPOCH.code);
  });

  it('in a purgatory that keeps nothing of those that have been answered', async () => {
    const on = await started(3);
    const asked = [0, 1, 2].map((partition) => ({ partition, fetchOffset: 3 }));
    let answered = 0;
    for (let round = 0; round < 500; round += 1) {
      void fetch(on, asked, { maxWaitMs: 10_000 }).then(() => (answered += 1));
      void fetch(on, asked, { maxWaitMs: 20, minBytes: plenty }).then(() => (answered += 1));
    }
    expect(waiting(on)).toEqual([1000, 3000]);
    await on.time.advance(20);
    expect(waiting(on)).toEqual([500, 1500]);
    await on.produce(1, 't-1', ['d'], 1);
    expect(waiting(on)).toEqual([0, 0]);
    await on.time.advance(0);
    expect(answered).toBe(1000);
  });
});

describe('a fetch of a broker that is no replica of the partition', () => {
  it('brings no records, and is not taken note of', async () => {
    const on = await started(1);
    const [fetched] = await fetch(on, [{ partition: 0 }], { replicaId: 9 });
    expect(fetched).toMatchObject({ errorCode: 0, highWatermark: 3 });
    expect(fetched?.records).toHaveLength(0);
    expect([...on.partition(1, 't-0').remoteReplicas]).toEqual([]);
  });
});
