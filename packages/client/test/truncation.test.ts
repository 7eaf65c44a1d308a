import { afterEach, describe, expect, it } from '@jest/globals';
import { Errors } from '@klassic/protocol';
import { eventually } from '@klassic/test-support';
import { Consumer, LogTruncationError } from '../src/index.ts';
import type { ConsumerOptions } from '../src/index.ts';
import { FakeCluster, plainHandlers } from './fake-broker.ts';
import type { Handlers } from './fake-broker.ts';
import { FakeEpochLog } from './fake-epoch-log.ts';

const p0 = { topic: 't', partition: 0 };

const opened: { stop?(): Promise<void>; close?(): Promise<void> }[] = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) {
    await thing.close?.();
    await thing.stop?.();
  }
});

/** A consumer of partition 0, whose leader has appended a to d in epoch 1 and e, f in epoch 2, its present one. */
async function start(options: Partial<ConsumerOptions> = {}, more: Handlers = {}) {
  const log = new FakeEpochLog();
  log.append(1, 'a', 'b', 'c', 'd');
  log.append(2, 'e', 'f');
  const cluster = await FakeCluster.start({ ...log.handlers, ...more });
  cluster.leaderEpoch = 2;
  const consumer = new Consumer({
    bootstrapServers: cluster.bootstrapServers,
    retryBackoffMs: 10,
    autoOffsetReset: 'earliest',
    ...options,
  });
  opened.push(cluster, consumer);
  consumer.assign([p0]);
  return { cluster, consumer, log };
}

async function read(consumer: Consumer, count: number): Promise<string> {
  let values = '';
  while (values.length < count) {
    const records = await consumer.poll(10_000);
    if (records.length === 0) break;
    values += records.map(({ value }) => String(value)).join('');
  }
  return values;
}

/** Broker 1 becomes leader, in epoch 3. */
function elect(cluster: FakeCluster): void {
  cluster.leaders[0] = 1;
  cluster.leaderEpoch = 3;
}

describe('A consumer whose partition gets another leader (KIP-320)', () => {
  it('asks the new leader where the epoch of what it read ends, and goes on if nothing is lost', async () => {
    const { cluster, consumer, log } = await start();
    expect(await read(consumer, 6)).toBe('abcdef');
    expect(log.validations).toEqual([]);
    elect(cluster);
    log.append(3, 'g');
    expect(await read(consumer, 1)).toBe('g');
    const partitions = [{ partition: 0, currentLeaderEpoch: 3, leaderEpoch: 2 }];
    expect(log.validations).toMatchObject([
      { broker: 1, body: { replicaId: -1, topics: [{ topic: 't', partitions }] } },
    ]);
    expect(log.fetches.at(-1)).toMatchObject({ broker: 1, currentLeaderEpoch: 3, lastFetchedEpoch: -1 });
  });

  it('does the same when the same leader comes back in another epoch', async () => {
    const { cluster, consumer, log } = await start();
    await read(consumer, 6);
    cluster.leaderEpoch = 3;
    log.append(3, 'g');
    expect(await read(consumer, 1)).toBe('g');
    expect(log.validations).toMatchObject([{ broker: 0 }]);
  });

  it.each(['earliest', 'latest'] as const)('goes on where the log diverges, with the policy %s', async (policy) => {
    const { cluster, consumer, log } = await start({ autoOffsetReset: policy });
    consumer.seek(p0, 0);
    await read(consumer, 6);
    elect(cluster);
    log.truncate(5);
    log.append(3, 'X', 'Y', 'Z');
    expect(await read(consumer, 3)).toBe('XYZ');
    expect(await consumer.position(p0)).toBe(8);
  });

  it('says what is lost without a policy, again until it is told where to go on', async () => {
    const { cluster, consumer, log } = await start({ autoOffsetReset: 'none', requestTimeoutMs: 50 });
    consumer.seek(p0, 0);
    await read(consumer, 6);
    elect(cluster);
    log.truncate(3);
    log.append(3, 'X', 'Y', 'Z', 'W');
    for (const attempt of [1, 2]) {
      const failure: unknown = await read(consumer, 1).catch((error: unknown) => error);
      expect([attempt, failure]).toEqual([attempt, expect.any(LogTruncationError)]);
      const truncation = failure as LogTruncationError;
      expect(truncation.error).toBe(Errors.OFFSET_OUT_OF_RANGE);
      expect([...truncation.divergentOffsets]).toEqual([['t-0', { offset: 3, leaderEpoch: 1 }]]);
      expect([...truncation.fetchOffsets]).toEqual([['t-0', 6]]);
      expect(truncation.message).toContain('partition=t-0, fetchOffset=6, fetchEpoch=2, divergentOffset=3');
    }
    consumer.seek(p0, 3, 1);
    expect(await read(consumer, 4)).toBe('XYZW');
  });

  it('begins anew by its policy where the leader knows no epoch as old', async () => {
    const { cluster, consumer, log } = await start();
    await read(consumer, 6);
    elect(cluster);
    log.truncate(0);
    log.append(3, 'V', 'W');
    expect(await read(consumer, 2)).toBe('VW');
  });

  it('says so without a policy, and does not know the divergent offset', async () => {
    const { cluster, consumer, log } = await start({ autoOffsetReset: 'none' });
    consumer.seek(p0, 0);
    await read(consumer, 6);
    elect(cluster);
    log.truncate(0);
    log.append(3, 'V', 'W');
    const failure: unknown = await read(consumer, 1).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LogTruncationError);
    expect((failure as LogTruncationError).divergentOffsets.size).toBe(0);
    expect((failure as LogTruncationError).message).toContain('divergentOffset=unknown');
  });

  it.each([Errors.UNKNOWN_LEADER_EPOCH, Errors.NOT_LEADER_OR_FOLLOWER, Errors.OFFSET_NOT_AVAILABLE])(
    'asks again when the broker answers $name',
    async ({ code }) => {
      const { cluster, consumer, log } = await start();
      await read(consumer, 6);
      elect(cluster);
      log.append(3, 'g');
      log.nextValidationError = code;
      expect(await read(consumer, 1)).toBe('g');
      expect(log.validations.length).toBe(2);
    },
  );

  it('asks the leader that comes after', async () => {
    const { cluster, consumer, log } = await start();
    await read(consumer, 6);
    elect(cluster);
    log.append(3, 'g');
    log.nextValidationError = Errors.NOT_LEADER_OR_FOLLOWER.code;
    log.validationMs = 50;
    const next = read(consumer, 1);
    await eventually(() => log.validations.length > 0, { what: 'a validation' });
    cluster.leaders[0] = 0;
    cluster.leaderEpoch = 4;
    log.validationMs = 0;
    expect(await next).toBe('g');
    expect(log.validations.map(({ broker }) => broker)).toEqual([1, 0]);
  });

  it('asks once, however long the answer takes', async () => {
    const { cluster, consumer, log } = await start();
    await read(consumer, 6);
    elect(cluster);
    log.append(3, 'g');
    log.validationMs = 150;
    expect(await read(consumer, 1)).toBe('g');
    expect(log.validations.length).toBe(1);
  });

  it('gives up for good where it may not ask', async () => {
    const { cluster, consumer, log } = await start();
    await read(consumer, 6);
    elect(cluster);
    log.nextValidationError = Errors.TOPIC_AUTHORIZATION_FAILED.code;
    await expect(read(consumer, 1)).rejects.toMatchObject({ error: Errors.TOPIC_AUTHORIZATION_FAILED });
  });

  it('goes on by its offset alone where brokers are too old to answer consumers', async () => {
    const { cluster, consumer, log } = await start();
    cluster.maxVersions.OffsetForLeaderEpoch = 2;
    await read(consumer, 6);
    elect(cluster);
    log.truncate(5);
    log.append(3, 'X', 'Y', 'Z');
    expect(await read(consumer, 2)).toBe('YZ');
    expect(log.validations).toEqual([]);
  });

  it('believes no leader epoch of a broker whose metadata may be wrong about it', async () => {
    const { cluster, consumer, log } = await start();
    cluster.maxVersions.Metadata = 8;
    await read(consumer, 6);
    elect(cluster);
    log.append(3, 'g');
    expect(await read(consumer, 1)).toBe('g');
    expect(log.fetches.map(({ currentLeaderEpoch }) => currentLeaderEpoch)).not.toContain(3);
    expect(log.validations).toEqual([]);
  });

  it('returns nothing more of what the old leader had sent', async () => {
    // Metadata are asked for before each poll.
    const { cluster, consumer, log } = await start({ maxPollRecords: 1, metadataMaxAgeMs: 0, retryBackoffMs: 0 });
    expect(await read(consumer, 1)).toBe('a');
    elect(cluster);
    log.truncate(2);
    log.append(3, 'X', 'Y');
    expect(await read(consumer, 3)).toBe('bXY');
  });
});

describe('A leader epoch that goes back', () => {
  /** Metadata are asked for before each poll. */
  const curious = { metadataMaxAgeMs: 0, retryBackoffMs: 0 };

  it.each([0, 1])('is old news: %d, told by a broker that is cut off', async (oldEpoch) => {
    let told = 0;
    const { consumer, log } = await start(curious, {
      Metadata: async (body, broker) => {
        const answer = await plainHandlers.Metadata!(body, broker);
        if (log.fetches.length === 0) return answer!;
        told += 1;
        for (const partition of answer!.topics![0]!.partitions!) {
          Object.assign(partition, { leaderId: 1, leaderEpoch: oldEpoch });
        }
        return answer!;
      },
    });
    await read(consumer, 6);
    log.append(2, 'g');
    expect(await read(consumer, 1)).toBe('g');
    log.append(2, 'h');
    expect(await read(consumer, 1)).toBe('h');
    expect(told).toBeGreaterThan(0);
    expect(log.validations).toEqual([]);
    expect(log.fetches.every(({ broker }) => broker === 0)).toBe(true);
  });

  it('is that of a topic made anew, after one was not there', async () => {
    const { cluster, consumer, log } = await start(curious);
    await read(consumer, 6);
    cluster.hasTopic = false;
    expect(await consumer.poll(50)).toEqual([]);
    cluster.hasTopic = true;
    cluster.leaderEpoch = 0;
    log.truncate(0);
    log.append(0, 'n');
    expect(await read(consumer, 1)).toBe('n');
  });

  it('is that of a topic made anew, with another id', async () => {
    const { cluster, consumer, log } = await start(curious);
    cluster.topicId = 'AAAAAAAAAAAAAAAAAAAAAQ';
    await read(consumer, 6);
    cluster.topicId = 'AAAAAAAAAAAAAAAAAAAAAg';
    cluster.leaderEpoch = 1;
    log.truncate(0);
    log.append(1, 'n');
    expect(await read(consumer, 1)).toBe('n');
  });
});

describe('A consumer that begins somewhere', () => {
  it('returns nothing of what a leader before had sent, also where it has nothing to validate', async () => {
    const { cluster, consumer, log } = await start({ metadataMaxAgeMs: 0, retryBackoffMs: 0 });
    consumer.seek(p0, 0);
    expect(await consumer.poll(0)).toEqual([]);
    consumer.pause([p0]);
    expect(await consumer.poll(100)).toEqual([]);
    expect(log.fetches.length).toBe(1);
    elect(cluster);
    log.truncate(0);
    log.append(3, 'X');
    consumer.resume([p0]);
    expect(await read(consumer, 1)).toBe('X');
  });

  it('has an offset validated that it is told with its epoch', async () => {
    const { consumer, log } = await start();
    consumer.seek(p0, 5, 1);
    expect(await read(consumer, 2)).toBe('ef');
    expect(log.validations.length).toBe(1);
  });

  it('asks for offsets in the epoch it knows, and again in the next', async () => {
    const { cluster, consumer, log } = await start();
    expect(await consumer.endOffsets([p0])).toEqual(new Map([['t-0', 6]]));
    cluster.leaderEpoch = 3;
    expect(await consumer.endOffsets([p0])).toEqual(new Map([['t-0', 6]]));
    expect(log.listed).toEqual([2, 2, 3]);
  });
});

describe('Committed offsets and leader epochs', () => {
  /** A coordinator that keeps what is committed for partition 0. */
  function coordinator(committed: { offset: number; leaderEpoch: number }): Handlers {
    return {
      FindCoordinator: (_body, { cluster }) => ({ nodeId: 0, host: '127.0.0.1', port: cluster.brokers[0]!.port }),
      OffsetFetch: ({ topics }) => ({
        topics: topics!.map(({ name }) => ({
          name,
          partitions: [
            {
              partitionIndex: 0,
              committedOffset: committed.offset,
              committedLeaderEpoch: committed.leaderEpoch,
              metadata: 'm',
            },
          ],
        })),
      }),
      OffsetCommit: ({ topics }) => {
        const [{ committedOffset, committedLeaderEpoch }] = topics[0]!.partitions as [
          (typeof topics)[number]['partitions'][number],
        ];
        committed.offset = committedOffset;
        committed.leaderEpoch = committedLeaderEpoch;
        return { topics: topics.map(({ name }) => ({ name, partitions: [{ partitionIndex: 0 }] })) };
      },
    };
  }

  it('are committed together, of what was returned', async () => {
    const committed = { offset: -1, leaderEpoch: -1 };
    const { consumer } = await start(
      { groupId: 'g', enableAutoCommit: false, maxPollRecords: 3 },
      coordinator(committed),
    );
    for (const expected of [
      { offset: 3, leaderEpoch: 1 },
      { offset: 4, leaderEpoch: 1 },
      { offset: 6, leaderEpoch: 2 },
    ]) {
      await consumer.poll(10_000);
      await consumer.commit();
      expect(committed).toEqual(expected);
    }
    expect([...(await consumer.committed([p0]))]).toEqual([['t-0', { offset: 6, leaderEpoch: 2, metadata: 'm' }]]);
  });

  it('are validated before reading goes on from them', async () => {
    const { cluster, consumer, log } = await start(
      { groupId: 'g', enableAutoCommit: false },
      coordinator({ offset: 6, leaderEpoch: 2 }),
    );
    elect(cluster);
    log.truncate(4);
    log.append(3, 'X', 'Y', 'Z');
    expect(await consumer.position(p0)).toBe(4);
    expect(await read(consumer, 3)).toBe('XYZ');
  });

  it('of a newer epoch than that of the metadata are not compared with the older leader', async () => {
    let asked = 0;
    const { consumer, log } = await start(
      { groupId: 'g', enableAutoCommit: false },
      {
        ...coordinator({ offset: 7, leaderEpoch: 3 }),
        // The broker that is asked hears of the election only later.
        Metadata: (body, broker) => {
          asked += 1;
          if (asked === 4) {
            elect(broker.cluster);
            log.append(3, 'g', 'h');
          }
          return plainHandlers.Metadata!(body, broker);
        },
      },
    );
    expect(await read(consumer, 1)).toBe('h');
    expect(log.validations).toMatchObject([{ broker: 1 }]);
    expect(log.fetches.every(({ broker }) => broker === 1)).toBe(true);
  });
});
