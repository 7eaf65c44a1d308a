import { array, int16, int32, int64, int8, one, records, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Reads record batches: consumers and follower replicas alike. Sessions from v7 on (KIP-227). */
export const FetchRequest = request(
  { name: 'FetchRequest', apiKey: 1, versions: '0-12', flexible: '12+' },
  {
    // -1 for a consumer, -2 for a debugging one; else the follower's broker id.
    replicaId: int32('0+'),
    maxWaitMs: int32('0+'),
    minBytes: int32('0+'),
    // A first batch that is larger is sent all the same (KIP-74).
    maxBytes: int32('3+', { default: 0x7fff_ffff, ignorable: true }),
    // 0 read_uncommitted, 1 read_committed.
    isolationLevel: int8('4+', { ignorable: true }),
    sessionId: int32('7+', { ignorable: true }),
    // -1 asks for no session, 0 for a new one.
    sessionEpoch: int32('7+', { default: -1, ignorable: true }),
    topics: array(
      '0+',
      struct('FetchTopic', {
        topic: string('0+'),
        partitions: array(
          '0+',
          struct('FetchPartition', {
            partition: int32('0+'),
            currentLeaderEpoch: int32('9+', { default: -1, ignorable: true }),
            fetchOffset: int64('0+'),
            lastFetchedEpoch: int32('12+', { default: -1 }),
            // Sent by followers only.
            logStartOffset: int64('5+', { default: -1, ignorable: true }),
            partitionMaxBytes: int32('0+'),
          }),
        ),
      }),
    ),
    // Partitions to be taken out of the session.
    forgottenTopicsData: array(
      '7+',
      struct('ForgottenTopic', {
        topic: string('7+'),
        partitions: array('7+', 'int32'),
      }),
    ),
    // By it the leader may name a nearer replica (KIP-392).
    rackId: string('11+', { ignorable: true }),
    clusterId: string('12+', { tag: 0, nullable: '12+', default: null, ignorable: true }),
  },
);
export type FetchRequest = MessageOf<typeof FetchRequest>;
export type FetchRequestInit = InitOf<typeof FetchRequest>;

/** The batches read, each partition with its high watermark and last stable offset. */
export const FetchResponse = response(
  { name: 'FetchResponse', apiKey: 1, versions: '0-12', flexible: '12+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('7+', { ignorable: true }),
    sessionId: int32('7+'),
    responses: array(
      '0+',
      struct('FetchableTopicResponse', {
        topic: string('0+'),
        partitionResponses: array(
          '0+',
          struct('FetchablePartitionResponse', {
            partition: int32('0+'),
            errorCode: int16('0+'),
            highWatermark: int64('0+'),
            lastStableOffset: int64('4+', { default: -1, ignorable: true }),
            logStartOffset: int64('5+', { default: -1, ignorable: true }),
            // Null under read_uncommitted.
            abortedTransactions: array(
              '4+',
              struct('AbortedTransaction', {
                producerId: int64('4+'),
                firstOffset: int64('4+'),
              }),
              { nullable: '4+', ignorable: true },
            ),
            // -1: go on reading here.
            preferredReadReplica: int32('11+', { default: -1 }),
            recordSet: records('0+', { nullable: '0+', default: null }),
            divergingEpoch: one(
              '12+',
              struct('EpochEndOffset', {
                epoch: int32('12+', { default: -1 }),
                endOffset: int64('12+', { default: -1 }),
              }),
              { tag: 0 },
            ),
            currentLeader: one(
              '12+',
              struct('LeaderIdAndEpoch', {
                leaderId: int32('12+', { default: -1 }),
                leaderEpoch: int32('12+', { default: -1 }),
              }),
              { tag: 1 },
            ),
            snapshotId: one(
              '12+',
              struct('SnapshotId', {
                endOffset: int64('12+', { default: -1 }),
                epoch: int32('12+', { default: -1 }),
              }),
              { tag: 2 },
            ),
          }),
        ),
      }),
    ),
  },
);
export type FetchResponse = MessageOf<typeof FetchResponse>;
export type FetchResponseInit = InitOf<typeof FetchResponse>;
