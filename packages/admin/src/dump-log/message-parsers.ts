import { inHashOrder, stringHash, topicPartitionHash, topicPartitionKey } from '@klassic/common';
import {
  ConsumerProtocolAssignment,
  decodeVersionedMessage,
  GroupMetadataKey,
  GroupMetadataValue,
  OffsetCommitKey,
  OffsetCommitValue,
  storedVersion,
  TransactionLogKey,
  TransactionLogValue,
} from '@klassic/protocol';
import type { KafkaRecord } from '@klassic/protocol';

/** A record as text; null leaves a part out. */
export interface ParsedRecord {
  readonly key: string | null;
  readonly payload: string | null;
}

export type MessageParser = (record: KafkaRecord) => ParsedRecord;

/** A record that the chosen decoder cannot make sense of. */
export class UndecodableRecordError extends Error {
  override readonly name = 'UndecodableRecordError';
}

const NO_VALUE = '<DELETE>';
const GROUP_METADATA_KEY_VERSION = 2;
const TRANSACTION_STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
];

/** Keys and values as UTF-8. */
export const parseText: MessageParser = ({ key, value }) => ({
  key: key?.toString() ?? null,
  payload: value?.toString() ?? null,
});

/** Records of `__consumer_offsets`. @throws UndecodableRecordError */
export const parseOffsetsRecord: MessageParser = ({ key, value }) => {
  if (key === null) {
    throw new UndecodableRecordError('Failed to decode message using offset topic decoder (message had a missing key)');
  }
  const version = storedVersion(key);
  if (version < GROUP_METADATA_KEY_VERSION) {
    const { group, topic, partition } = decodeVersionedMessage(OffsetCommitKey, key).message;
    return {
      key: `offset_commit::group=${group},partition=${topicPartitionKey(topic, partition)}`,
      payload: value === null ? NO_VALUE : offsetText(value),
    };
  }
  if (version > GROUP_METADATA_KEY_VERSION) {
    throw new UndecodableRecordError(
      'Failed to decode message using offset topic decoder (message had an invalid key)',
    );
  }
  const { group } = decodeVersionedMessage(GroupMetadataKey, key).message;
  return { key: `group_metadata::group=${group}`, payload: value === null ? NO_VALUE : groupText(value) };
};

/** Records of `__transaction_state`. @throws UndecodableRecordError */
export const parseTransactionRecord: MessageParser = ({ key, value }) => {
  if (key === null) throw new UndecodableRecordError('A record of the transaction log has no key');
  const { transactionalId } = decodeVersionedMessage(TransactionLogKey, key).message;
  return {
    key: `transaction_metadata::transactionalId=${transactionalId}`,
    payload: value === null ? NO_VALUE : transactionText(value),
  };
};

function offsetText(value: Buffer): string {
  const { offset, metadata } = decodeVersionedMessage(OffsetCommitValue, value).message;
  return metadata === '' ? `offset=${offset}` : `offset=${offset},metadata=${metadata}`;
}

function groupText(value: Buffer): string {
  const { protocolType, protocol, generation, members } = decodeVersionedMessage(GroupMetadataValue, value).message;
  const assignments = inHashOrder(members, ({ memberId }) => stringHash(memberId)).map(
    ({ memberId, assignment }) =>
      `${memberId}=${protocolType === 'consumer' ? consumerAssignment(assignment) : hex(assignment)}`,
  );
  const assignment = `{${assignments.join(',')}}`;
  return JSON.stringify({ protocolType, protocol, generationId: generation, assignment });
}

function consumerAssignment(assignment: Buffer): string {
  const { message } = decodeVersionedMessage(ConsumerProtocolAssignment, assignment, 'read-as-newest');
  const partitions = message.assignedPartitions.flatMap(({ topic, partitions: ids }) =>
    ids.map((id) => topicPartitionKey(topic, id)),
  );
  const userData = message.userData === null ? '' : hex(message.userData);
  return `[${partitions.join(', ')}]${userData === '' ? '' : `:${userData}`}`;
}

/** As a great number in base 16: without zeros in front. */
function hex(bytes: Buffer): string {
  return bytes.length === 0
    ? ''
    : BigInt(`0x${bytes.toString('hex')}`)
        .toString(16)
        .toUpperCase();
}

function transactionText(value: Buffer): string {
  const { message } = decodeVersionedMessage(TransactionLogValue, value);
  const partitions = (message.transactionPartitions ?? []).flatMap(({ topic, partitionIds }) =>
    partitionIds.map((partition) => ({ topic, partition })),
  );
  const names = inHashOrder(partitions, ({ topic, partition }) => topicPartitionHash(topic, partition)).map(
    ({ topic, partition }) => topicPartitionKey(topic, partition),
  );
  return (
    `producerId:${message.producerId},producerEpoch:${message.producerEpoch},` +
    `state=${TRANSACTION_STATES[message.transactionStatus] ?? `Unknown(${message.transactionStatus})`},` +
    `partitions=[${names.join(',')}],txnLastUpdateTimestamp=${message.transactionLastUpdateTimestampMs},` +
    `txnTimeoutMs=${message.transactionTimeoutMs}`
  );
}
