import { Errors, KafkaError } from '@klassic/protocol';
import type { ProducerIdManager } from '../transaction/producer-id-manager.ts';
import type { ApiHandler } from './api-handler.ts';

/** InitProducerId of an idempotent producer (KIP-98). Transactions are not served yet: a transactional id is refused. */
export function initProducerIdHandler(producerIdManager: ProducerIdManager): ApiHandler<'InitProducerId'> {
  return {
    api: 'InitProducerId',
    minVersion: 0,
    maxVersion: 4,
    async handle({ body }) {
      const { transactionalId, producerId: knownId, producerEpoch: knownEpoch } = body;
      // Of id and epoch both are told, or neither.
      if ((knownId === -1) !== (knownEpoch === -1)) throw new KafkaError(Errors.INVALID_REQUEST);
      if (transactionalId === '') throw new KafkaError(Errors.INVALID_REQUEST);
      if (transactionalId !== null) throw new KafkaError(Errors.COORDINATOR_NOT_AVAILABLE);
      const producerId = await producerIdManager.generateProducerId();
      return { errorCode: Errors.NONE.code, producerId, producerEpoch: 0 };
    },
    failure: (_request, error) => ({ errorCode: error.code, producerId: -1, producerEpoch: -1 }),
  };
}
