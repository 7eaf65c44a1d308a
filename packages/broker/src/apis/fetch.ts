import { topicPartitionKey } from '@klassic/common';
import type { Time, TopicPartition } from '@klassic/common';
import { ReadBuffers } from '@klassic/log';
import { downConvert, Errors, KafkaError, UnsupportedCompressionTypeError } from '@klassic/protocol';
import type { RequestOf, ResponseInit } from '@klassic/protocol';
import type { MetadataCache } from '../metadata/index.ts';
import type { BrokerTopicStats } from '../metrics/index.ts';
import { clientOf } from '../quota/index.ts';
import type { QuotaManagers } from '../quota/index.ts';
import type { FetchManager, FetchPartitionData, FetchRequestPartition, ReplicaManager } from '../replica/index.ts';
import type { ApiHandler } from './api-handler.ts';

/** From this version on a consumer tells its rack, and may read from a follower (KIP-392). */
const rackVersion = 11;
/** Up to this version a consumer knows message format 0 (up to 1) or 1 (2 and 3) only. */
const oldestV2Version = 4;
/** Bytes of a Fetch answer of version 11 without topics, its header included, and of one partition without its records. */
const ANSWER_BYTES = 18;
const PARTITION_BYTES = 42;
const emptyRecords = Buffer.alloc(0);
/** Bytes of buffers that are kept for the next answers to consumers. */
const MAX_IDLE_READ_BYTES = 32 * 1024 * 1024;

export interface FetchHandlerOptions {
  readonly replicaManager: ReplicaManager;
  readonly metadataCache: MetadataCache;
  readonly fetchManager: FetchManager;
  readonly topicStats: BrokerTopicStats;
  readonly quotas: QuotaManagers;
  readonly time: Time;
  /** `fetch.max.bytes`: most bytes of any one answer to a consumer. */
  readonly fetchMaxBytes: number;
}

/** Fetch, of consumers and followers alike, with fetch sessions (`KafkaApis.handleFetchRequest`, KIP-227). */
export function fetchHandler(options: FetchHandlerOptions): ApiHandler<'Fetch'> {
  const { replicaManager, metadataCache, fetchManager, topicStats, quotas, time, fetchMaxBytes } = options;
  const readBuffers = new ReadBuffers(MAX_IDLE_READ_BYTES);
  return {
    api: 'Fetch',
    minVersion: 0,
    maxVersion: 12,
    async handle(request) {
      const { body, header, context: requestContext } = request;
      const { apiVersion, clientId } = header;
      const isFollower = body.replicaId >= 0;
      const isolation = isolationOf(body.isolationLevel);
      const context = fetchManager.newContext(
        { sessionId: body.sessionId, epoch: body.sessionEpoch },
        requestedPartitions(body),
        forgottenPartitions(body),
        isFollower,
      );
      if (context.error !== Errors.NONE) return { errorCode: context.error.code, sessionId: 0, responses: [] };
      const known = context.partitions.filter(({ topic, partition }) => metadataCache.contains(topic, partition));
      const client = isFollower || !quotas.fetch.isEnabled ? undefined : clientOf(request);
      // No answer to a consumer is larger than its quota allows within all windows but one.
      const quotaBytes = client === undefined ? Infinity : quotas.fetch.maxValueInQuotaWindow(client);
      const maxBytes = isFollower ? body.maxBytes : Math.min(body.maxBytes, fetchMaxBytes, quotaBytes);
      // Followers fetch what is new, in small pieces: for them new buffers cost less.
      const lease = isFollower ? undefined : readBuffers.lease();
      if (lease !== undefined) request.whenSent(() => lease.release());
      const fetched = await replicaManager.fetchMessages({
        replicaId: body.replicaId,
        maxWaitMs: body.maxWaitMs,
        minBytes: Math.min(body.minBytes, maxBytes),
        maxBytes,
        hardMaxBytesLimit: apiVersion <= 2,
        isolation,
        ...(apiVersion >= rackVersion && !isFollower
          ? {
              clientMetadata: {
                rackId: body.rackId,
                clientId: clientId ?? '',
                listenerName: requestContext.listenerName,
              },
            }
          : {}),
        ...(lease === undefined ? {} : { buffers: lease.source }),
        partitions: known,
      });
      const all =
        known.length === context.partitions.length ? fetched : withUnknown(context.partitions, fetched, metadataCache);
      if (client !== undefined) {
        const bytes = responseBytes(all);
        const nowMs = time.milliseconds();
        const throttleTimeMs = quotas.fetch.recordAndGetThrottleTimeMs(client, bytes, nowMs);
        if (throttleTimeMs > 0) {
          // Nothing is sent to one that is above its quota: it asks again when the throttle time is over (KIP-219).
          quotas.fetch.unrecord(client, bytes, nowMs);
          request.throttle(throttleTimeMs);
          return { errorCode: Errors.NONE.code, sessionId: body.sessionEpoch > 0 ? body.sessionId : 0, responses: [] };
        }
      }
      const { errorCode, sessionId, partitions } = context.updateAndGenerateResponse(all);
      if (isFollower) replicaManager.recordLeaderThrottled(partitions);
      const readable =
        apiVersion < oldestV2Version ? inOldFormat(partitions, apiVersion, context.partitions) : partitions;
      countBytesOut(topicStats, readable, isFollower);
      return { errorCode, sessionId, responses: byTopic(readable) };
    },
    failure: ({ body }, error) => ({
      errorCode: error.code,
      sessionId: 0,
      // Versions before 7 have no other place for an error.
      responses: byTopic(requestedPartitions(body).map((each) => failedPartition(each, error.code))),
    }),
  };
}

function requestedPartitions({ topics }: RequestOf<'Fetch'>): FetchRequestPartition[] {
  const requested: FetchRequestPartition[] = [];
  for (const { topic, partitions } of topics) {
    for (const each of partitions) {
      requested.push({
        topic,
        partition: each.partition,
        fetchOffset: each.fetchOffset,
        logStartOffset: each.logStartOffset,
        maxBytes: each.partitionMaxBytes,
        currentLeaderEpoch: each.currentLeaderEpoch,
        lastFetchedEpoch: each.lastFetchedEpoch,
      });
    }
  }
  return requested.length > 1 ? eachOnce(requested) : requested;
}

/** Of a partition that is named twice the place of the first counts, and what the last asks. */
function eachOnce(requested: readonly FetchRequestPartition[]): FetchRequestPartition[] {
  const byKey = new Map<string, FetchRequestPartition>();
  for (const each of requested) byKey.set(topicPartitionKey(each.topic, each.partition), each);
  return [...byKey.values()];
}

/** @throws KafkaError UNKNOWN_SERVER_ERROR for a level that there is not, as the reference answers */
function isolationOf(level: number): 'read_committed' | 'read_uncommitted' {
  if (level === 0) return 'read_uncommitted';
  if (level === 1) return 'read_committed';
  throw new KafkaError(Errors.UNKNOWN_SERVER_ERROR, `Unknown isolation level ${level}`);
}

function forgottenPartitions({ forgottenTopicsData }: RequestOf<'Fetch'>): TopicPartition[] {
  return forgottenTopicsData.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}

/** As the original answers: what was fetched, then the partitions that the cluster does not know. */
function withUnknown(
  asked: readonly FetchRequestPartition[],
  fetched: readonly FetchPartitionData[],
  metadataCache: MetadataCache,
): FetchPartitionData[] {
  const answered = new Set(fetched.map(({ topic, partition }) => topicPartitionKey(topic, partition)));
  const unknown = asked.filter(({ topic, partition }) => !answered.has(topicPartitionKey(topic, partition)));
  return [
    ...fetched,
    ...unknown.map(({ topic, partition }) => {
      const isKnown = metadataCache.contains(topic, partition);
      const error = isKnown ? Errors.NOT_LEADER_OR_FOLLOWER : Errors.UNKNOWN_TOPIC_OR_PARTITION;
      return failedPartition({ topic, partition }, error.code);
    }),
  ];
}

function failedPartition({ topic, partition }: TopicPartition, errorCode: number): FetchPartitionData {
  return {
    topic,
    partition,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions: null,
    divergingEpoch: null,
    preferredReadReplica: -1,
    records: emptyRecords,
  };
}

/** The answer in the record format that a consumer of before Fetch version 4 knows. */
function inOldFormat(
  partitions: readonly FetchPartitionData[],
  apiVersion: number,
  asked: readonly FetchRequestPartition[],
): FetchPartitionData[] {
  const toMagic = apiVersion <= 1 ? 0 : 1;
  const offsets = new Map(asked.map((each) => [topicPartitionKey(each.topic, each.partition), each.fetchOffset]));
  return partitions.map((data) => {
    const offset = offsets.get(topicPartitionKey(data.topic, data.partition)) ?? 0;
    try {
      return { ...data, records: downConvert(data.records, toMagic, offset) };
    } catch (error) {
      if (!(error instanceof UnsupportedCompressionTypeError)) throw error;
      return failedPartition(data, Errors.UNSUPPORTED_COMPRESSION_TYPE.code);
    }
  });
}

/** What an answer with these partitions takes, as fetch quotas count it: the records, and what stands around them. */
function responseBytes(partitions: readonly FetchPartitionData[]): number {
  let bytes = ANSWER_BYTES;
  for (const { records, errorCode } of partitions) {
    if (records.length > 0 || errorCode !== Errors.NONE.code) bytes += PARTITION_BYTES + records.length;
  }
  return bytes;
}

function countBytesOut(
  topicStats: BrokerTopicStats,
  partitions: readonly FetchPartitionData[],
  isFollower: boolean,
): void {
  for (const { topic, records } of partitions) {
    if (records.length === 0) continue;
    if (isFollower) topicStats.replicationBytesOut += records.length;
    else topicStats.topic(topic).bytesOut += records.length;
  }
}

function byTopic(partitions: readonly FetchPartitionData[]): NonNullable<ResponseInit<'Fetch'>['responses']> {
  const responses: { topic: string; partitionResponses: object[] }[] = [];
  let last: (typeof responses)[number] | undefined;
  for (const data of partitions) {
    if (last?.topic !== data.topic) {
      last = { topic: data.topic, partitionResponses: [] };
      responses.push(last);
    }
    last.partitionResponses.push({
      partition: data.partition,
      errorCode: data.errorCode,
      highWatermark: data.highWatermark,
      lastStableOffset: data.lastStableOffset,
      logStartOffset: data.logStartOffset,
      abortedTransactions: data.abortedTransactions,
      preferredReadReplica: data.preferredReadReplica,
      recordSet: data.records,
      ...(data.divergingEpoch === null ? {} : { divergingEpoch: data.divergingEpoch }),
    });
  }
  return responses;
}
