import { bool, int16, int32, int64, request, response, string } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Commits or aborts a transaction. */
export const EndTxnRequest = request(
  { name: 'EndTxnRequest', apiKey: 26, versions: '0-3', flexible: '3+' },
  {
    transactionalId: string('0+'),
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    committed: bool('0+'),
  },
);
export type EndTxnRequest = MessageOf<typeof EndTxnRequest>;
export type EndTxnRequestInit = InitOf<typeof EndTxnRequest>;

/** The decision is written. */
export const EndTxnResponse = response(
  { name: 'EndTxnResponse', apiKey: 26, versions: '0-3', flexible: '3+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
  },
);
export type EndTxnResponse = MessageOf<typeof EndTxnResponse>;
export type EndTxnResponseInit = InitOf<typeof EndTxnResponse>;
