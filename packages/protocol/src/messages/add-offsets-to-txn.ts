import { int16, int32, int64, request, response, string } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** A transaction is to commit a group's offsets. */
export const AddOffsetsToTxnRequest = request(
  { name: 'AddOffsetsToTxnRequest', apiKey: 25, versions: '0-3', flexible: '3+' },
  {
    transactionalId: string('0+'),
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    groupId: string('0+'),
  },
);
export type AddOffsetsToTxnRequest = MessageOf<typeof AddOffsetsToTxnRequest>;
export type AddOffsetsToTxnRequestInit = InitOf<typeof AddOffsetsToTxnRequest>;

/** Whether the group's partition of __consumer_offsets is in the transaction now. */
export const AddOffsetsToTxnResponse = response(
  { name: 'AddOffsetsToTxnResponse', apiKey: 25, versions: '0-3', flexible: '3+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
  },
);
export type AddOffsetsToTxnResponse = MessageOf<typeof AddOffsetsToTxnResponse>;
export type AddOffsetsToTxnResponseInit = InitOf<typeof AddOffsetsToTxnResponse>;
