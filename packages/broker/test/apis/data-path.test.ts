import { afterEach, describe, expect, it } from '@jest/globals';
import { silentLoggers } from '@klassic/common';
import type { NetworkRequest } from '@klassic/network';
import {
  buildBatch,
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponseFrame,
  encodeRequestFrame,
  encodeResponseFrame,
  Errors,
} from '@klassic/protocol';
import type { ApiName, BatchOptions, RequestInit, ResponseInit, ResponseOf } from '@klassic/protocol';
import type { AnyApiHandler } from '../../src/apis/api-handler.ts';
import { deleteRecordsHandler } from '../../src/apis/delete-records.ts';
import { fetchHandler } from '../../src/apis/fetch.ts';
import { KafkaApis } from '../../src/apis/kafka-apis.ts';
import { listOffsetsHandler, offsetForLeaderEpochHandler } from '../../src/apis/offsets-in-log.ts';
import { produceHandler } from '../../src/apis/produce.ts';
import { BrokerTopicStats } from '../../src/metrics/index.ts';
import { QuotaManagers } from '../../src/quota/index.ts';
import { ReplicaCluster } from '../replica/replica-cluster.ts';
import type { ReplicaClusterOptions } from '../replica/replica-cluster.ts';

/** What a client gets: an answer, a closed connection, or nothing. */
type Outcome<A extends ApiName> = ResponseOf<A> | 'closed' | 'no answer';

let cluster: ReplicaCluster | undefined;

afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
});

async function started(options: ReplicaClusterOptions = {}): Promise<ReplicaCluster> {
  cluster = await new ReplicaCluster({ brokers: 1, ...options }).start();
  return cluster;
}

/** Takes a request, and its answer, over the wire's bytes through a broker's handlers. */
async function ask<A extends ApiName>(
  on: ReplicaCluster,
  api: A,
  version: number,
  body: RequestInit<A>,
  id = 1,
): Promise<Outcome<A>> {
  const { replicaManager, metadataCache, fetchManager } = on.broker(id);
  const noLimit = { producerDefault: Infinity, consumerDefault: Infinity };
  const windows = { windowNum: 11, windowSizeSeconds: 1, controllerWindowNum: 11, controllerWindowSizeSeconds: 1 };
  const quotas = new QuotaManagers({ ...windows, ...noLimit }, on.time);
  const parts = { replicaManager, metadataCache, fetchManager, quotas, time: on.time };
  const handlers: AnyApiHandler[] = [
    produceHandler(parts),
    fetchHandler({ ...parts, topicStats: new BrokerTopicStats(), fetchMaxBytes: 1 << 20 }),
    listOffsetsHandler(replicaManager),
    offsetForLeaderEpochHandler(replicaManager),
    deleteRecordsHandler(replicaManager, metadataCache),
  ];
  const frame = Buffer.concat(encodeRequestFrame('kafka', api, version, 1, 'c', body)).subarray(4);
  const header = decodeRequestHeader('kafka', frame);
  let failure: unknown;
  const apis = new KafkaApis(handlers, quotas, silentLoggers, (error) => (failure = error));
  const outcome = new Promise<Outcome<A>>((resolve) => {
    const request = {
      api,
      header,
      body: decodeRequestBody('kafka', frame, header),
      unsupportedVersion: false,
      context: { connectionId: 'x', principal: 'User:ANONYMOUS', listenerName: 'PLAINTEXT' },
      sizeInBytes: frame.length,
      throttleTimeMs: 0,
      whenSent: () => undefined,
      throttle: () => undefined,
      localTimeMs: () => 0,
      respond: (answer: ResponseInit<A>) => {
        const bytes = Buffer.concat(encodeResponseFrame('kafka', api, version, 1, answer)).subarray(4);
        resolve(decodeResponseFrame('kafka', api, version, bytes).body);
      },
      noResponse: () => {
        resolve('no answer');
      },
      closeConnection: () => {
        resolve('closed');
      },
    };
    apis.handle(request as unknown as NetworkRequest);
  });
  const settled = await on.settle(outcome);
  expect(failure).toBeUndefined();
  return settled;
}

function batch(value: string, options: Partial<BatchOptions> = {}): Buffer {
  return buildBatch({ records: [{ timestamp: 1, key: Buffer.from('k'), value: Buffer.from(value) }], ...options });
}

type Data = readonly (readonly [topic: string, partition: number, records: Buffer | null])[];

async function produce(on: ReplicaCluster, version: number, data: Data, acks = 1, id = 1): Promise<unknown> {
  const topicData = data.map(([name, index, records]) => ({ name, partitionData: [{ index, records }] }));
  const body = { acks, timeoutMs: 1000, topicData, ...(version >= 3 ? { transactionalId: null } : {}) };
  const answer = await ask(on, 'Produce', version, body, id);
  if (typeof answer === 'string') return answer;
  return answer.responses.flatMap(({ name, partitionResponses }) =>
    partitionResponses.map(({ index, errorCode, baseOffset }) => [name, index, errorCode, baseOffset]),
  );
}

describe('Produce', () => {
  const [v1, v2] = [batch('a', { magic: 1 }), batch('a')];
  const zstd = batch('a'.repeat(50), { compression: 'zstd' });
  const [fine, invalid, compression] = [0, Errors.INVALID_RECORD.code, Errors.UNSUPPORTED_COMPRESSION_TYPE.code];

  it.each([
    ['one batch', 3, v2, fine],
    ['two batches', 3, Buffer.concat([v2, v2]), invalid],
    ['two batches', 9, Buffer.concat([v2, v2]), invalid],
    ['two messages, before the rule', 2, Buffer.concat([v1, v1]), fine],
    ['magic 1', 3, v1, invalid],
    ['magic 1', 2, v1, fine],
    ['no batch', 9, Buffer.alloc(0), invalid],
    ['half a batch', 9, v2.subarray(0, 30), invalid],
    ['zstd', 6, zstd, compression],
    ['zstd', 7, zstd, fine],
    ['null', 9, null, Errors.UNKNOWN_SERVER_ERROR.code],
  ])('%s in version %i', async (_what, version, records, error) => {
    const on = await started();
    await on.createPartition('t', [1]);
    expect(await produce(on, version, [['t', 0, records]])).toEqual([['t', 0, error, error === fine ? 0 : -1]]);
    if (error !== fine) expect(on.partition(1, 't-0').log!.logEndOffset).toBe(0);
  });

  it('answers each partition once, for its last records, with an error of its own', async () => {
    const on = await started({ topicConfigs: { 'max.message.bytes': '200' } });
    await on.createPartition('t', [1]);
    await on.createPartition('t', [1], 1);
    const answers = await produce(on, 9, [
      ['t', 0, batch('first')],
      ['nowhere', 0, v2],
      ['t', 1, batch('x'.repeat(300))],
      ['t', 7, v2],
      ['t', 0, batch('last')],
    ]);
    expect(answers).toEqual([
      ['t', 0, 0, 0],
      ['t', 1, Errors.MESSAGE_TOO_LARGE.code, -1],
      ['t', 7, Errors.UNKNOWN_TOPIC_OR_PARTITION.code, -1],
      ['nowhere', 0, Errors.UNKNOWN_TOPIC_OR_PARTITION.code, -1],
    ]);
    expect([...on.values(1, 't-0').values()]).toEqual(['last']);
  });

  it('tells which record is wrong, and why', async () => {
    const on = await started({ topicConfigs: { 'cleanup.policy': 'compact' } });
    await on.createPartition('t', [1]);
    const withoutKey = buildBatch({
      records: [Buffer.from('k'), null].map((key) => ({ timestamp: 1, key, value: null })),
    });
    const topicData = [{ name: 't', partitionData: [{ index: 0, records: withoutKey }] }];
    const answer = await ask(on, 'Produce', 9, { transactionalId: null, acks: 1, timeoutMs: 1000, topicData });
    expect(answer).toMatchObject({
      responses: [
        {
          partitionResponses: [
            {
              errorCode: Errors.INVALID_RECORD.code,
              recordErrors: [{ batchIndex: 1 }],
              errorMessage: expect.stringContaining('One or more records have been rejected'),
            },
          ],
        },
      ],
    });
  });

  it('with acks=0 has no answer; where there is an error the connection is closed, and nothing is kept', async () => {
    const on = await started({ brokers: 2 });
    const key = await on.createPartition('t', [1, 2]);
    expect(await produce(on, 9, [['t', 0, v2]], 0, 1)).toBe('no answer');
    await on.until('replicated', () => on.partition(2, key).log!.logEndOffset === 1);
    expect(await produce(on, 9, [['t', 0, v2]], 0, 2)).toBe('closed');
    expect(await produce(on, 9, [['nowhere', 0, v2]], 0, 1)).toBe('closed');
    // One partition's error costs the connection, though another's records are taken.
    const both: Data = [
      ['t', 0, v2],
      ['nowhere', 0, v2],
    ];
    expect(await produce(on, 9, both, 0, 1)).toBe('closed');
    await on.until('replicated', () => on.partition(2, key).log!.logEndOffset === 2);
    expect(on.partition(1, key).log!.logEndOffset).toBe(2);
  });
});

interface FetchAsked {
  readonly topic: string;
  readonly partition?: number;
  readonly fetchOffset?: number;
  readonly currentLeaderEpoch?: number;
  readonly lastFetchedEpoch?: number;
}

function fetch(
  on: ReplicaCluster,
  version: number,
  asked: readonly FetchAsked[],
  more: object = {},
): Promise<Outcome<'Fetch'>> {
  const topics = asked.map(({ topic, partition = 0, fetchOffset = 0, ...epochs }) => ({
    topic,
    partitions: [{ partition, fetchOffset, partitionMaxBytes: 1 << 20, ...epochs }],
  }));
  const body = { replicaId: -1, maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, topics, ...more };
  return ask(on, 'Fetch', version, { sessionId: 0, sessionEpoch: -1, ...body });
}

function answersOf(answer: Outcome<'Fetch'>): unknown[] {
  if (typeof answer === 'string') throw new Error(answer);
  return answer.responses.flatMap(({ topic, partitionResponses }) =>
    partitionResponses.map(({ partition, errorCode, recordSet }) => [
      `${topic}-${partition}`,
      errorCode,
      (recordSet?.length ?? 0) > 0,
    ]),
  );
}

describe('Fetch', () => {
  it('answers unknown partitions last, and a partition that is named twice once', async () => {
    const on = await started();
    await on.createPartition('t', [1]);
    await on.createPartition('u', [1]);
    await on.settle(on.produce(1, 't-0', ['a', 'b']));
    const unknown = Errors.UNKNOWN_TOPIC_OR_PARTITION.code;
    const asked = [{ topic: 'nowhere' }, { topic: 't', fetchOffset: 2 }, { topic: 'u' }, { topic: 't' }];
    expect(answersOf(await fetch(on, 11, asked))).toEqual([
      ['t-0', 0, true],
      ['u-0', 0, false],
      ['nowhere-0', unknown, false],
    ]);
  });

  it.each([
    [0, 0],
    [1, 0],
    [7, Errors.UNKNOWN_SERVER_ERROR.code],
  ])('at isolation level %i answers error %i', async (isolationLevel, error) => {
    const on = await started();
    await on.createPartition('t', [1]);
    await on.settle(on.produce(1, 't-0', ['a']));
    const answer = await fetch(on, 11, [{ topic: 't' }], { isolationLevel });
    expect(answersOf(answer)).toEqual([['t-0', error === 0 ? 0 : error, error === 0]]);
  });

  it('tells from version 12 on where the fetcher has parted from the log (KIP-595)', async () => {
    const on = await started();
    const key = await on.createPartition('t', [1]);
    await on.settle(on.produce(1, key, ['a', 'b']));
    await on.elect(key, 1, [1]);
    await on.settle(on.produce(1, key, ['c']));
    await on.elect(key, 1, [1]);
    await on.elect(key, 1, [1]);
    await on.settle(on.produce(1, key, ['d']));
    const parted = async (fetchOffset: number, lastFetchedEpoch: number): Promise<unknown> => {
      const answer = await fetch(on, 12, [{ topic: 't', fetchOffset, lastFetchedEpoch }]);
      if (typeof answer === 'string') return answer;
      const { errorCode, divergingEpoch, recordSet } = answer.responses[0]!.partitionResponses[0]!;
      return [errorCode, divergingEpoch.epoch, divergingEpoch.endOffset, (recordSet?.length ?? 0) > 0];
    };
    expect(await parted(2, 0)).toEqual([0, -1, -1, true]);
    expect(await parted(3, 1)).toEqual([0, -1, -1, true]);
    // It has three records of epoch 0, of which there are two; and a record of epoch 2, in which nothing was written.
    expect(await parted(3, 0)).toEqual([0, 0, 2, false]);
    expect(await parted(4, 2)).toEqual([0, 1, 3, false]);
    const outOfRange = Errors.OFFSET_OUT_OF_RANGE.code;
    expect(await parted(4, 9)).toEqual([outOfRange, -1, -1, false]);
    await on.settle(
      on.broker(1).replicaManager.deleteRecords({
        timeoutMs: 1000,
        partitions: [{ topic: 't', partition: 0, offset: 3 }],
      }),
    );
    expect(await parted(2, 1)).toEqual([outOfRange, -1, -1, false]);
  });
});

describe('the epoch that a client believes in', () => {
  const [fenced, unknown] = [Errors.FENCED_LEADER_EPOCH.code, Errors.UNKNOWN_LEADER_EPOCH.code];

  it.each([
    [-1, 0],
    [0, fenced],
    [1, 0],
    [2, unknown],
  ])('%i is answered by error %i in Fetch, ListOffsets and OffsetForLeaderEpoch', async (currentLeaderEpoch, error) => {
    const on = await started();
    const key = await on.createPartition('t', [1]);
    await on.settle(on.produce(1, key, ['a']));
    await on.elect(key, 1, [1]);
    expect(answersOf(await fetch(on, 11, [{ topic: 't', currentLeaderEpoch }]))).toEqual([['t-0', error, error === 0]]);
    const listed = await ask(on, 'ListOffsets', 5, {
      replicaId: -1,
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1, currentLeaderEpoch }] }],
    });
    const offset = error === 0 ? 1 : -1;
    expect(listed).toMatchObject({ topics: [{ partitions: [{ errorCode: error, offset }] }] });
    const ends = await ask(on, 'OffsetForLeaderEpoch', 3, {
      replicaId: -1,
      topics: [{ topic: 't', partitions: [{ partition: 0, leaderEpoch: 0, currentLeaderEpoch }] }],
    });
    const end = { errorCode: error, leaderEpoch: error === 0 ? 0 : -1, endOffset: error === 0 ? 1 : -1 };
    expect(ends).toMatchObject({ topics: [{ partitions: [end] }] });
  });
});

describe('ListOffsets', () => {
  const at = async (on: ReplicaCluster, version: number, partitions: readonly object[]): Promise<unknown> => {
    const topics = [{ name: 't', partitions }];
    const answer = await ask(on, 'ListOffsets', version, { replicaId: -1, topics });
    if (typeof answer === 'string') return answer;
    return answer.topics[0]!.partitions.map((each) =>
      version === 0 ? [each.errorCode, [...each.oldStyleOffsets]] : [each.errorCode, each.offset],
    );
  };

  it('finds no record by time in a log whose records bear none', async () => {
    const on = await started({ topicConfigs: { 'message.format.version': '0.9.0' } });
    await on.createPartition('t', [1]);
    await on.settle(on.produce(1, 't-0', ['a', 'b']));
    const times = (timestamp: number): object[] => [{ partitionIndex: 0, timestamp }];
    const unsupported = Errors.UNSUPPORTED_FOR_MESSAGE_FORMAT.code;
    expect(await at(on, 5, times(1))).toEqual([[unsupported, -1]]);
    expect(await at(on, 5, times(-2))).toEqual([[0, 0]]);
    expect(await at(on, 5, times(-1))).toEqual([[0, 2]]);
    expect(await at(on, 0, [{ partitionIndex: 0, timestamp: -1, maxNumOffsets: 5 }])).toEqual([[0, [2, 0]]]);
  });

  it('refuses a partition that is named twice, from version 1 on', async () => {
    const on = await started();
    await on.createPartition('t', [1]);
    const twice = [-1, -2].map((timestamp) => ({ partitionIndex: 0, timestamp }));
    const invalid = [Errors.INVALID_REQUEST.code, -1];
    expect(await at(on, 1, twice)).toEqual([invalid, invalid]);
  });

  it('tells an older client that the offset may come later in words that it knows (KIP-207)', async () => {
    const on = await started({ brokers: 2 });
    const key = await on.createPartition('t', [2, 1]);
    await on.settle(on.produce(2, key, ['a']));
    // Broker 1 has the record but not its high watermark, and nobody fetches from it as it takes over.
    expect(on.partition(1, key).log!).toMatchObject({ logEndOffset: 1, highWatermark: 0 });
    on.network.cut(1, 2);
    await on.elect(key, 1, [1, 2], [2]);
    const latest = [{ partitionIndex: 0, timestamp: -1 }];
    expect(await at(on, 5, latest)).toEqual([[Errors.OFFSET_NOT_AVAILABLE.code, -1]]);
    expect(await at(on, 4, latest)).toEqual([[Errors.LEADER_NOT_AVAILABLE.code, -1]]);
  });
});

describe('DeleteRecords', () => {
  async function remove(on: ReplicaCluster, asked: readonly (readonly [string, number, number])[]): Promise<unknown> {
    const topics = asked.map(([name, partitionIndex, offset]) => ({ name, partitions: [{ partitionIndex, offset }] }));
    const answer = await ask(on, 'DeleteRecords', 2, { timeoutMs: 1000, topics });
    if (typeof answer === 'string') return answer;
    return answer.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, errorCode, lowWatermark }) => [name, partitionIndex, errorCode, lowWatermark]),
    );
  }

  it('moves the log start to an offset or to the high watermark; each partition is answered once', async () => {
    const on = await started();
    await on.createPartition('t', [1]);
    await on.settle(on.produce(1, 't-0', ['a', 'b', 'c']));
    const unknown = Errors.UNKNOWN_TOPIC_OR_PARTITION.code;
    expect(
      await remove(on, [
        ['nowhere', 0, 1],
        ['t', 0, 2],
        ['t', 5, 1],
        ['t', 0, 1],
      ]),
    ).toEqual([
      ['nowhere', 0, unknown, -1],
      ['t', 0, 0, 1],
      ['t', 5, unknown, -1],
    ]);
    expect(await remove(on, [['t', 0, -2]])).toEqual([['t', 0, Errors.OFFSET_OUT_OF_RANGE.code, -1]]);
    expect(await remove(on, [['t', 0, 4]])).toEqual([['t', 0, Errors.OFFSET_OUT_OF_RANGE.code, -1]]);
    // Back it never goes.
    expect(await remove(on, [['t', 0, 0]])).toEqual([['t', 0, 0, 1]]);
    expect(await remove(on, [['t', 0, -1]])).toEqual([['t', 0, 0, 3]]);
    expect(on.partition(1, 't-0').log!.logStartOffset).toBe(3);
  });

  it.each([
    ['t', 'compact', Errors.POLICY_VIOLATION.code],
    ['__consumer_offsets', 'delete', Errors.INVALID_TOPIC_EXCEPTION.code],
  ])('of %s under the policy %s is refused', async (topic, policy, error) => {
    const on = await started({ topicConfigs: { 'cleanup.policy': policy } });
    await on.createPartition(topic, [1]);
    expect(await remove(on, [[topic, 0, 0]])).toEqual([[topic, 0, error, -1]]);
  });

  it('times out where a follower does not come along, and tells how far all are', async () => {
    const on = await started({ brokers: 2 });
    await on.createPartition('t', [1, 2]);
    await on.settle(on.produce(1, 't-0', ['a', 'b']));
    await on.until('the follower is told', () => on.partition(2, 't-0').log!.highWatermark === 2);
    on.network.cut(1, 2);
    expect(await remove(on, [['t', 0, 1]])).toEqual([['t', 0, Errors.REQUEST_TIMED_OUT.code, 0]]);
    expect(on.broker(1).replicaManager.metrics().purgatorySizes).toMatchObject({ DeleteRecords: 0 });
  });
});
