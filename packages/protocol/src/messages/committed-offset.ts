import { data, int32, int64, string } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Key of a committed offset's record in __consumer_offsets. */
export const OffsetCommitKey = data(
  { name: 'OffsetCommitKey', versions: '0-1', flexible: 'none' },
  {
    group: string('0+'),
    topic: string('0+'),
    partition: int32('0+'),
  },
);
export type OffsetCommitKey = MessageOf<typeof OffsetCommitKey>;
export type OffsetCommitKeyInit = InitOf<typeof OffsetCommitKey>;

/** A committed offset as __consumer_offsets keeps it. An offset with its own expiry is written as v1 whatever the protocol version. */
export const OffsetCommitValue = data(
  { name: 'OffsetCommitValue', versions: '0-3', flexible: 'none' },
  {
    offset: int64('0+'),
    leaderEpoch: int32('3+', { default: -1, ignorable: true }),
    metadata: string('0+'),
    commitTimestamp: int64('0+'),
    expireTimestamp: int64('1', { default: -1, ignorable: true }),
  },
);
export type OffsetCommitValue = MessageOf<typeof OffsetCommitValue>;
export type OffsetCommitValueInit = InitOf<typeof OffsetCommitValue>;
