import { array, int16, int32, int64, one, records, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Raft: a piece of a snapshot (KIP-630). */
export const FetchSnapshotRequest = request(
  { name: 'FetchSnapshotRequest', apiKey: 59, versions: '0', flexible: '0+' },
  {
    replicaId: int32('0+', { default: -1 }),
    maxBytes: int32('0+', { default: 0x7fff_ffff }),
    topics: array(
      '0+',
      struct('TopicSnapshot', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('PartitionSnapshot', {
            partition: int32('0+'),
            currentLeaderEpoch: int32('0+'),
            snapshotId: one(
              '0+',
              struct('SnapshotId', {
                endOffset: int64('0+'),
                epoch: int32('0+'),
              }),
            ),
            position: int64('0+'),
          }),
        ),
      }),
    ),
    clusterId: string('0+', { tag: 0, nullable: '0+', default: null }),
  },
);
export type FetchSnapshotRequest = MessageOf<typeof FetchSnapshotRequest>;
export type FetchSnapshotRequestInit = InitOf<typeof FetchSnapshotRequest>;

/** Raft: the bytes asked for. */
export const FetchSnapshotResponse = response(
  { name: 'FetchSnapshotResponse', apiKey: 59, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    topics: array(
      '0+',
      struct('TopicSnapshot', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('PartitionSnapshot', {
            index: int32('0+'),
            errorCode: int16('0+'),
            snapshotId: one(
              '0+',
              struct('SnapshotId', {
                endOffset: int64('0+'),
                epoch: int32('0+'),
              }),
            ),
            size: int64('0+'),
            position: int64('0+'),
            unalignedRecords: records('0+'),
            currentLeader: one(
              '0+',
              struct('LeaderIdAndEpoch', {
                leaderId: int32('0+'),
                leaderEpoch: int32('0+'),
              }),
              { tag: 0 },
            ),
          }),
        ),
      }),
    ),
  },
);
export type FetchSnapshotResponse = MessageOf<typeof FetchSnapshotResponse>;
export type FetchSnapshotResponseInit = InitOf<typeof FetchSnapshotResponse>;
