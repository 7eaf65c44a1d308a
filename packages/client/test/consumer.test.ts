import { afterEach, describe, expect, it } from '@jest/globals';
import { topicPartitionKey } from '@klassic/common';
import { buildBatch, Errors } from '@klassic/protocol';
import type { Codec, KafkaError } from '@klassic/protocol';
import { Consumer, IllegalStateError } from '../src/index.ts';
import type { ConsumerOptions, ConsumerRecord } from '../src/index.ts';
import { CompletedFetch } from '../src/consumer/completed-fetch.ts';
import { encodeAssignment } from '../src/consumer/consumer-protocol.ts';
import { FakeCluster } from './fake-broker.ts';
import type { Handlers } from './fake-broker.ts';
import { logHandlers } from './fake-logs.ts';

const opened: { stop?(): Promise<void>; close?(): Promise<void> }[] = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) {
    await thing.close?.();
    await thing.stop?.();
  }
});

async function start(handlers: Handlers, options: Partial<ConsumerOptions> = {}) {
  const cluster = await FakeCluster.start(handlers);
  for (let value = 0; value < 95; value += 1) cluster.log(value % 4).push(String(value));
  const consumer = new Consumer({
    bootstrapServers: cluster.bootstrapServers,
    retryBackoffMs: 10,
    autoOffsetReset: 'earliest',
    ...options,
  });
  opened.push(cluster, consumer);
  return { cluster, consumer };
}

const all = [0, 1, 2, 3].map((partition) => ({ topic: 't', partition }));

async function readUntil(consumer: Consumer, count: number): Promise<ConsumerRecord[]> {
  const records: ConsumerRecord[] = [];
  while (records.length < count) {
    const more = await consumer.poll(20_000);
    if (more.length === 0) break;
    records.push(...more);
  }
  return records;
}

function valuesOf(records: readonly ConsumerRecord[], partition: number): string[] {
  return records.filter((record) => record.partition === partition).map(({ value }) => String(value));
}

describe('Consumer with partitions of its own', () => {
  it.each<Codec>(['kafka', 'msgpack'])('reads every partition in order in %s', async (codec) => {
    const { cluster, consumer } = await start(logHandlers(), { codec, maxPollRecords: 7 });
    consumer.assign(all);
    const records = await readUntil(consumer, 95);
    for (const { partition } of all) expect(valuesOf(records, partition)).toEqual(cluster.log(partition));
    expect(await consumer.position(all[0]!)).toBe(24);
  });

  it('begins inside a batch where it is told to', async () => {
    const { cluster, consumer } = await start(logHandlers());
    consumer.assign([all[1]!]);
    consumer.seek(all[1]!, 15);
    expect(valuesOf(await readUntil(consumer, 9), 1)).toEqual(cluster.log(1).slice(15));
  });

  it('follows a leader that moved', async () => {
    const { cluster, consumer } = await start(logHandlers(), { maxPollRecords: 5 });
    consumer.assign([all[2]!]);
    const before = await readUntil(consumer, 5);
    cluster.leaders[2] = 1;
    cluster.leaderEpoch += 1;
    const after = await readUntil(consumer, 19);
    expect(valuesOf([...before, ...after], 2)).toEqual(cluster.log(2));
  });

  it('goes on from the log start when its offset has gone', async () => {
    const { cluster, consumer } = await start(logHandlers(10));
    consumer.assign([all[0]!]);
    consumer.seek(all[0]!, 3);
    expect(valuesOf(await readUntil(consumer, 14), 0)).toEqual(cluster.log(0).slice(10));
  });

  it('says so instead, without a reset policy', async () => {
    const { consumer } = await start(logHandlers(10), { autoOffsetReset: 'none' });
    consumer.assign([all[0]!]);
    consumer.seek(all[0]!, 3);
    const failure = await readUntil(consumer, 1).catch((error: unknown) => error);
    expect((failure as KafkaError).error).toBe(Errors.OFFSET_OUT_OF_RANGE);
  });

  it('leaves paused partitions alone', async () => {
    const { cluster, consumer } = await start(logHandlers());
    consumer.assign([all[0]!, all[1]!]);
    consumer.pause([all[0]!]);
    const others = await readUntil(consumer, 24);
    expect(valuesOf(others, 0)).toEqual([]);
    consumer.resume([all[0]!]);
    expect(valuesOf(await readUntil(consumer, 24), 0)).toEqual(cluster.log(0));
  });

  it('returns what came before a batch that cannot be read, and fails with that at the next poll', async () => {
    const plain = logHandlers().Fetch!;
    const { cluster, consumer } = await start({
      ...logHandlers(),
      Fetch: async (body, broker) => {
        const answer = await plain(body, broker);
        for (const { partitionResponses } of answer!.responses!) {
          const damaged = partitionResponses!.find(({ partition }) => partition === 2)?.recordSet;
          if (damaged !== undefined) damaged![65]! ^= 1;
        }
        return answer!;
      },
    });
    consumer.assign([all[0]!, all[2]!]);
    consumer.seek(all[2]!, 0);
    const first = await consumer.poll(10_000);
    expect(first.map(({ value }) => String(value))).toEqual(cluster.log(0).slice(0, 10));
    await expect(consumer.poll(10_000)).rejects.toThrow(/corrupt/i);
    expect(await consumer.position(all[2]!)).toBe(0);
    expect(await consumer.position(all[0]!)).toBe(10);
  });

  it('waits no longer than it is told', async () => {
    const { consumer } = await start(logHandlers());
    consumer.assign([all[0]!]);
    consumer.seekToEnd();
    expect(await consumer.poll(50)).toEqual([]);
    await expect(new Consumer({ bootstrapServers: 'localhost:1' }).poll(0)).rejects.toThrow(IllegalStateError);
  });
});

describe('Consumer in a group', () => {
  it('joins, leads, starts from what is committed, commits and leaves', async () => {
    const calls: string[] = [];
    let committed = 20;
    const handlers: Handlers = {
      ...logHandlers(),
      FindCoordinator: (_body, { cluster }) => ({ nodeId: 1, host: '127.0.0.1', port: cluster.brokers[1]!.port }),
      JoinGroup: ({ memberId, protocols }) => {
        calls.push(`join ${memberId === '' ? 'anew' : memberId} with ${protocols.map(({ name }) => name).join()}`);
        if (memberId === '') return { errorCode: Errors.MEMBER_ID_REQUIRED.code, memberId: 'm-1' };
        const members = [{ memberId, metadata: protocols[0]!.metadata }];
        return { generationId: 1, protocolName: 'range', leader: 'm-1', memberId: 'm-1', members };
      },
      SyncGroup: ({ assignments }) => {
        calls.push(`sync ${assignments.length}`);
        expect(assignments[0]!.assignment).toEqual(encodeAssignment(all));
        return { assignment: assignments[0]!.assignment };
      },
      OffsetFetch: ({ topics }) => ({
        topics: topics!.map(({ name, partitionIndexes }) => ({
          name,
          partitions: partitionIndexes.map((partitionIndex) => ({
            partitionIndex,
            committedOffset: partitionIndex === 0 ? committed : -1,
          })),
        })),
      }),
      OffsetCommit: ({ generationId, memberId, topics }) => {
        calls.push(`commit by ${memberId} of ${generationId}`);
        committed = topics[0]!.partitions.find(({ partitionIndex }) => partitionIndex === 0)!.committedOffset;
        return { topics: topics.map(({ name, partitions }) => ({ name, partitions: [...partitions] })) };
      },
      Heartbeat: () => ({}),
      LeaveGroup: ({ members }) => {
        calls.push(`leave ${members[0]!.memberId}`);
        return {};
      },
    };
    const { cluster, consumer } = await start(handlers, { groupId: 'g' });
    consumer.subscribe(['t']);
    const records = await readUntil(consumer, 75);
    expect(valuesOf(records, 0)).toEqual(cluster.log(0).slice(20));
    expect(valuesOf(records, 3)).toEqual(cluster.log(3));
    expect(consumer.assignment().map(({ topic, partition }) => topicPartitionKey(topic, partition))).toEqual([
      't-0',
      't-1',
      't-2',
      't-3',
    ]);
    await consumer.close();
    expect(committed).toBe(24);
    expect(calls.filter((call, index) => call !== calls[index - 1])).toEqual([
      'join anew with range',
      'join m-1 with range',
      'sync 1',
      'commit by m-1 of 1',
      'leave m-1',
    ]);
  });

  it('asks for a group id where one is needed', () => {
    const consumer = new Consumer({ bootstrapServers: 'localhost:1' });
    expect(() => {
      consumer.subscribe(['t']);
    }).toThrow(IllegalStateError);
  });
});

describe('CompletedFetch', () => {
  const batch = (baseOffset: number, producerId: number, isTransactional = true) =>
    buildBatch({
      baseOffset,
      producerId,
      producerEpoch: 0,
      baseSequence: 0,
      isTransactional,
      records: [{ timestamp: 1, key: null, value: Buffer.from(`v${baseOffset}`) }],
    });
  const marker = (baseOffset: number, producerId: number, type: 'ABORT' | 'COMMIT') =>
    buildBatch({
      baseOffset,
      producerId,
      producerEpoch: 0,
      isTransactional: true,
      isControlBatch: true,
      records: [{ timestamp: 1, key: Buffer.from([0, 0, 0, type === 'ABORT' ? 0 : 1]), value: Buffer.alloc(6) }],
    });
  const log = Buffer.concat([
    batch(0, 1),
    batch(1, 2),
    marker(2, 1, 'ABORT'),
    batch(3, 1),
    marker(4, 2, 'COMMIT'),
    marker(5, 1, 'COMMIT'),
    batch(6, -1, false),
    marker(7, 9, 'COMMIT'),
  ]);

  const start = { offset: 0, offsetEpoch: -1, currentLeader: { leader: undefined, epoch: -1 } };

  function offsets(isolation: 'read_committed' | 'read_uncommitted'): [number[], number] {
    const aborted = [{ producerId: 1, firstOffset: 0 }];
    const fetch = new CompletedFetch({ topic: 't', partition: 0 }, start, log, aborted, isolation);
    const found: number[] = [];
    for (let record = fetch.next(); record !== undefined; record = fetch.next()) found.push(record.offset);
    return [found, fetch.nextOffset];
  }

  it('leaves out records of aborted transactions, and markers, under read_committed', () => {
    expect(offsets('read_committed')).toEqual([[1, 3, 6], 8]);
  });

  it('leaves out markers alone otherwise', () => {
    expect(offsets('read_uncommitted')).toEqual([[0, 1, 3, 6], 8]);
  });

  it('refuses a batch whose CRC is wrong', () => {
    const damaged = Buffer.from(log);
    damaged[65] = damaged[65]! ^ 1;
    const fetch = new CompletedFetch({ topic: 't', partition: 0 }, start, damaged, null, 'read_uncommitted');
    expect(() => fetch.next()).toThrow(/corrupt/i);
  });
});
