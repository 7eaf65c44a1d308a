import { array, data, int16, int32, int64, int8, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Key of a record in __transaction_state. */
export const TransactionLogKey = data(
  { name: 'TransactionLogKey', versions: '0', flexible: 'none' },
  {
    transactionalId: string('0+'),
  },
);
export type TransactionLogKey = MessageOf<typeof TransactionLogKey>;
export type TransactionLogKeyInit = InitOf<typeof TransactionLogKey>;

/** A transaction's state as __transaction_state keeps it. */
export const TransactionLogValue = data(
  { name: 'TransactionLogValue', versions: '0', flexible: 'none' },
  {
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    transactionTimeoutMs: int32('0+'),
    transactionStatus: int8('0+'),
    transactionPartitions: array(
      '0+',
      struct('PartitionsSchema', {
        topic: string('0+'),
        partitionIds: array('0+', 'int32'),
      }),
      { nullable: '0+' },
    ),
    transactionLastUpdateTimestampMs: int64('0+'),
    transactionStartTimestampMs: int64('0+'),
  },
);
export type TransactionLogValue = MessageOf<typeof TransactionLogValue>;
export type TransactionLogValueInit = InitOf<typeof TransactionLogValue>;
