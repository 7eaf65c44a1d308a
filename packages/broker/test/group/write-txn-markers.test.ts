import { describe, expect, it } from '@jest/globals';
import { MockTime } from '@klassic/common';
import type { NetworkRequest } from '@klassic/network';
import { batchesOf, endTransactionMarkerOf, Errors } from '@klassic/protocol';
import type { RequestOf, ResponseInit } from '@klassic/protocol';
import { writeTxnMarkersHandler } from '../../src/apis/write-txn-markers.ts';
import type { WriteTxnMarkersOptions } from '../../src/apis/write-txn-markers.ts';
import type { ReplicaManager } from '../../src/replica/index.ts';

type Markers = RequestOf<'WriteTxnMarkers'>['markers'];

/** A broker that hosts `t-0`, an old `old-0`, and partitions 3 and 4 of `__consumer_offsets`, of which it does not lead 4. */
function broker() {
  const appended: string[] = [];
  const completed: unknown[] = [];
  const formats: Readonly<Record<string, string>> = {
    't-0': '2.8-IV1',
    'old-0': '0.10.2-IV0',
    '__consumer_offsets-3': '2.8-IV1',
    '__consumer_offsets-4': '2.8-IV1',
  };
  const options = {
    time: new MockTime(),
    requestTimeoutMs: 30_000,
    replicaManager: {
      getLog: (key: string) => (key in formats ? { config: { messageFormatVersion: formats[key] } } : undefined),
      appendRecords: ({ entries, requiredAcks, origin }: Parameters<ReplicaManager['appendRecords']>[0]) => {
        expect([requiredAcks, origin]).toEqual([-1, 'Coordinator']);
        const results = [...entries].map(([key, { records }]) => {
          const isLed = key !== '__consumer_offsets-4';
          for (const batch of isLed ? batchesOf(records) : []) {
            const [record] = batch.records();
            const { type, coordinatorEpoch } = endTransactionMarkerOf(record!);
            appended.push(`${key} ${batch.producerId}/${batch.producerEpoch} ${type} ${coordinatorEpoch}`);
          }
          return [key, { errorCode: (isLed ? Errors.NONE : Errors.NOT_LEADER_OR_FOLLOWER).code }] as const;
        });
        return Promise.resolve(new Map(results));
      },
    },
    coordinator: {
      scheduleHandleTxnCompletion: (...told: unknown[]) => {
        completed.push(told);
      },
    },
  } as unknown as WriteTxnMarkersOptions;
  const handler = writeTxnMarkersHandler(options);
  const write = async (markers: Markers): Promise<ResponseInit<'WriteTxnMarkers'>> =>
    (await handler.handle({ body: { markers } } as unknown as NetworkRequest<'WriteTxnMarkers'>))!;
  return { appended, completed, write };
}

function marker(topics: Record<string, number[]>, transactionResult = true, producerId = 7): Markers[number] {
  return {
    producerId,
    producerEpoch: 2,
    transactionResult,
    coordinatorEpoch: 5,
    topics: Object.entries(topics).map(([name, partitionIndexes]) => ({ name, partitionIndexes })),
  };
}

describe('WriteTxnMarkers', () => {
  it('writes the marker where it can, and says where it cannot', async () => {
    const { appended, completed, write } = broker();
    const answer = await write([marker({ t: [0, 1], old: [0], __consumer_offsets: [3, 4] })]);
    expect(appended).toEqual(['t-0 7/2 COMMIT 5', '__consumer_offsets-3 7/2 COMMIT 5']);
    expect(answer.markers).toEqual([
      {
        producerId: 7,
        topics: [
          {
            name: 't',
            partitions: [
              { partitionIndex: 0, errorCode: 0 },
              { partitionIndex: 1, errorCode: Errors.UNKNOWN_TOPIC_OR_PARTITION.code },
            ],
          },
          { name: 'old', partitions: [{ partitionIndex: 0, errorCode: Errors.UNSUPPORTED_FOR_MESSAGE_FORMAT.code }] },
          {
            name: '__consumer_offsets',
            partitions: [
              { partitionIndex: 3, errorCode: 0 },
              { partitionIndex: 4, errorCode: Errors.NOT_LEADER_OR_FOLLOWER.code },
            ],
          },
        ],
      },
    ]);
    // Only where the marker is in the log do the offsets count.
    expect(completed).toEqual([[7, [3], true]]);
  });

  it('ends each transaction as it is told', async () => {
    const { appended, completed, write } = broker();
    const answer = await write([
      marker({ __consumer_offsets: [3] }, false, 7),
      marker({ t: [0] }, true, 8),
      marker({ t: [0] }, true, 7),
    ]);
    expect(appended).toEqual(['__consumer_offsets-3 7/2 ABORT 5', 't-0 8/2 COMMIT 5', 't-0 7/2 COMMIT 5']);
    expect(completed).toEqual([[7, [3], false]]);
    expect(answer.markers!.map(({ producerId, topics }) => [producerId, topics!.length])).toEqual([
      [7, 2],
      [8, 1],
    ]);
    expect((await write([])).markers).toEqual([]);
  });
});
