import { describe, it, jest } from '@jest/globals';
import type { RequestInit } from '@klassic/protocol';
import { besideTheOriginal } from './contestants.ts';
import { commitBody, versionsOf } from './group-questions.ts';

jest.setTimeout(600_000);

const both = besideTheOriginal();

describe('Klassic beside Apache Kafka answers about offsets', () => {
  it('every version of the offset APIs', async () => {
    await both(async (contestant) => {
      for (const version of versionsOf('OffsetCommit')) {
        const groupId = `offsets-${version}`;
        await contestant.ask(
          'a',
          'OffsetCommit',
          version,
          commitBody(groupId, version, { topics: ['t', 'missing', 'u'] }),
        );
        await contestant.ask('a', 'OffsetCommit', version, commitBody(groupId, version, { metadata: 'x'.repeat(20) }));
        await contestant.ask('a', 'OffsetCommit', version, commitBody(groupId, version, { metadata: 'x'.repeat(21) }));
        await contestant.ask('a', 'OffsetCommit', version, commitBody('', version));
        await contestant.ask('a', 'OffsetCommit', version, commitBody(groupId, version, { topics: [] }));
        if (version >= 1) {
          await contestant.ask(
            'a',
            'OffsetCommit',
            version,
            commitBody(groupId, version, { memberId: 'm', generationId: 1 }),
          );
          await contestant.ask(
            'a',
            'OffsetCommit',
            version,
            commitBody(`new-${version}`, version, { memberId: 'm', generationId: 1 }),
          );
          await contestant.ask('a', 'OffsetCommit', version, commitBody(groupId, version, { memberId: 'm' }));
        }
        if (version >= 7) {
          await contestant.ask(
            'a',
            'OffsetCommit',
            version,
            commitBody(groupId, version, { memberId: 'm', generationId: 0, instance: 'i' }),
          );
        }
      }
      for (const version of versionsOf('OffsetFetch')) {
        const topics = ['t', 'u', 'missing'].map((name) => ({ name, partitionIndexes: [0, 1, 7] }));
        for (const groupId of ['offsets-0', 'offsets-1', 'offsets-8', 'nobody', '']) {
          await contestant.ask('a', 'OffsetFetch', version, { groupId, topics });
          if (version >= 2) await contestant.ask('a', 'OffsetFetch', version, { groupId, topics: null });
          await contestant.ask('a', 'OffsetFetch', version, { groupId, topics: [] });
        }
      }
      for (const groupId of ['offsets-3', 'nobody', '']) {
        for (const topics of [
          [],
          [{ name: 'missing', partitions: [{ partitionIndex: 0 }] }],
          [{ name: 't', partitions: [{ partitionIndex: 0 }] }],
        ]) {
          await contestant.ask('a', 'OffsetDelete', 0, { groupId, topics });
        }
      }
      for (const version of versionsOf('FindCoordinator')) {
        for (const key of ['g', '']) await contestant.ask('a', 'FindCoordinator', version, { key });
        if (version >= 1) await contestant.ask('a', 'FindCoordinator', version, { key: 'g', keyType: 2 });
      }
    });
  });

  it('offsets in transactions, and their markers', async () => {
    await both(async (contestant) => {
      const initial = await contestant.ask('a', 'InitProducerId', 0, {
        transactionalId: null,
        transactionTimeoutMs: 1000,
      });
      for (const version of versionsOf('InitProducerId').slice(1)) {
        await contestant.ask('a', 'InitProducerId', version, { transactionalId: null, transactionTimeoutMs: 1000 });
        await contestant.ask('a', 'InitProducerId', version, { transactionalId: '', transactionTimeoutMs: 1000 });
        if (version >= 3) {
          await contestant.ask('a', 'InitProducerId', version, {
            transactionalId: null,
            transactionTimeoutMs: 1000,
            producerId: 5,
            producerEpoch: -1,
          });
          await contestant.ask('a', 'InitProducerId', version, {
            transactionalId: null,
            transactionTimeoutMs: 1000,
            producerId: -1,
            producerEpoch: 5,
          });
          await contestant.ask('a', 'InitProducerId', version, {
            transactionalId: null,
            transactionTimeoutMs: 1000,
            producerId: 5,
            producerEpoch: 5,
          });
        }
      }
      const producerId = initial!.producerId + 500;
      for (const version of versionsOf('TxnOffsetCommit')) {
        for (const [step, result] of [true, false].entries()) {
          const groupId = `txn-${version}`;
          const txn = (
            offset: number,
            more: Partial<RequestInit<'TxnOffsetCommit'>> = {},
          ): RequestInit<'TxnOffsetCommit'> => ({
            transactionalId: 'tx',
            groupId,
            producerId: producerId + version,
            producerEpoch: step,
            ...(version >= 3 ? { memberId: '' } : {}),
            topics: ['t', 'missing'].map((name) => ({
              name,
              partitions: [0, 7].map((partitionIndex) => ({
                partitionIndex,
                committedOffset: offset,
                committedMetadata: null,
              })),
            })),
            ...more,
          });
          await contestant.ask('a', 'TxnOffsetCommit', version, txn(100 + step));
          await contestant.ask('a', 'TxnOffsetCommit', version, txn(100, { groupId: '' }));
          if (version >= 3) {
            await contestant.ask('a', 'TxnOffsetCommit', version, txn(1, { memberId: 'stranger' }));
            await contestant.ask('a', 'TxnOffsetCommit', version, txn(1, { generationId: 4 }));
            await contestant.ask('a', 'TxnOffsetCommit', version, txn(1, { groupInstanceId: 'i' }));
          }
          if (step === 1) await contestant.ask('a', 'TxnOffsetCommit', version, txn(1, { producerEpoch: 0 }));
          for (const requireStable of [false, true]) {
            await contestant.ask('a', 'OffsetFetch', 7, {
              groupId,
              topics: [{ name: 't', partitionIndexes: [0, 1] }],
              requireStable,
            });
            await contestant.ask('a', 'OffsetFetch', 7, { groupId, topics: null, requireStable });
          }
          await contestant.ask('a', 'WriteTxnMarkers', version % 2, {
            markers: [
              {
                producerId: producerId + version,
                producerEpoch: step,
                transactionResult: result,
                coordinatorEpoch: 0,
                topics: [
                  { name: '__consumer_offsets', partitionIndexes: [0, 1, 2, 3, 9] },
                  { name: 'missing', partitionIndexes: [0] },
                ],
              },
            ],
          });
          await contestant.ask('a', 'OffsetFetch', 7, { groupId, topics: null, requireStable: true });
        }
      }
      await contestant.ask('a', 'WriteTxnMarkers', 1, { markers: [] });
      const marker = (id: number, producerEpoch: number, coordinatorEpoch: number) => ({
        producerId: id,
        producerEpoch,
        coordinatorEpoch,
        transactionResult: true,
        topics: [{ name: 't', partitionIndexes: [0, 1] }],
      });
      for (const markers of [
        [marker(9000, 3, 2), marker(9001, 0, 0)],
        [marker(9000, 2, 2)],
        [marker(9000, 3, 1)],
        [marker(9000, 3, 2), marker(9000, 4, 2)],
      ]) {
        await contestant.ask('a', 'WriteTxnMarkers', 1, { markers });
      }
    });
  });
});
