import { describe, expect, it } from '@jest/globals';
import type { NetworkRequest } from '@klassic/network';
import { Errors } from '@klassic/protocol';
import { initProducerIdHandler } from '../../src/apis/init-producer-id.ts';
import type { ProducerIdManager } from '../../src/transaction/producer-id-manager.ts';

describe('InitProducerId', () => {
  let next = 7;
  const manager = {
    generateProducerId: () => {
      next += 1;
      return Promise.resolve(next);
    },
  } as unknown as ProducerIdManager;
  const ask = async (transactionalId: string | null, producerId: number, producerEpoch: number): Promise<unknown> =>
    initProducerIdHandler(manager).handle({
      body: { transactionalId, transactionTimeoutMs: 1000, producerId, producerEpoch },
    } as unknown as NetworkRequest<'InitProducerId'>);

  it('gives an idempotent producer an id that is new, whatever it had', async () => {
    expect(await ask(null, -1, -1)).toEqual({ errorCode: 0, producerId: 8, producerEpoch: 0 });
    expect(await ask(null, 5, 5)).toEqual({ errorCode: 0, producerId: 9, producerEpoch: 0 });
  });

  // As Apache Kafka 2.8.2 answers (answers.reference.test.ts).
  it.each([
    ['an id without an epoch', null, 5, -1],
    ['an epoch without an id', null, -1, 5],
    ['an empty transactional id', '', -1, -1],
  ])('refuses %s', async (_what, transactionalId, producerId, producerEpoch) => {
    await expect(ask(transactionalId, producerId, producerEpoch)).rejects.toMatchObject({
      error: Errors.INVALID_REQUEST,
    });
  });
});
