import { int16, int32, int64, request, response, string } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** A producer id for idempotent and transactional producers (KIP-98, KIP-360). */
export const InitProducerIdRequest = request(
  { name: 'InitProducerIdRequest', apiKey: 22, versions: '0-4', flexible: '2+' },
  {
    transactionalId: string('0+', { nullable: '0+' }),
    transactionTimeoutMs: int32('0+'),
    // Sent to raise the epoch of an id the producer has (KIP-360).
    producerId: int64('3+', { default: -1 }),
    producerEpoch: int16('3+', { default: -1 }),
  },
);
export type InitProducerIdRequest = MessageOf<typeof InitProducerIdRequest>;
export type InitProducerIdRequestInit = InitOf<typeof InitProducerIdRequest>;

/** The producer id and epoch. */
export const InitProducerIdResponse = response(
  { name: 'InitProducerIdResponse', apiKey: 22, versions: '0-4', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    producerId: int64('0+', { default: -1 }),
    producerEpoch: int16('0+'),
  },
);
export type InitProducerIdResponse = MessageOf<typeof InitProducerIdResponse>;
export type InitProducerIdResponseInit = InitOf<typeof InitProducerIdResponse>;
