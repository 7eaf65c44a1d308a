import type { Logger, Time } from '@klassic/common';
import { topicPartitionKey } from '@klassic/common';
import { offsetOnly } from '@klassic/log';
import type { FetchIsolation, LogOffsetMetadata } from '@klassic/log';
import { Errors, KafkaError, RecordsError } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';
import type { BrokerTopicStats } from '../metrics/index.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import { emptyRecords } from './messages.ts';
import type { FetchMessagesOptions, FetchPartitionData, FetchRequestPartition } from './messages.ts';
import type { Partition } from './partition.ts';
import { readRecords } from './partition-reads.ts';

/** A fetch as it is carried out, now or when it leaves the purgatory. Counterpart of `kafka.server.FetchMetadata`. */
export interface FetchParameters {
  readonly options: FetchMessagesOptions;
  readonly isolation: FetchIsolation;
  /** Followers and consumers without a rack read from the leader only (KIP-392). */
  readonly requireLeader: boolean;
  /** Whether the records of a partition are held back from the follower that fetches, for now (KIP-73). */
  readonly isThrottled: (partition: Partition) => boolean;
  /** The broker that the consumer had better fetch a partition from; -1 for this one (KIP-392). */
  readonly preferredReadReplica: (partition: Partition, request: FetchRequestPartition) => number;
}

/** What was read for one partition, and what the leader must remember of it. Counterpart of `LogReadResult`. */
export interface LogReadResult {
  readonly data: FetchPartitionData;
  /** Where the fetch begins; unknown with an error. */
  readonly fetchOffsetMetadata: LogOffsetMetadata;
  readonly followerLogStartOffset: number;
  readonly leaderLogEndOffset: number;
  /** ms */
  readonly fetchTimeMs: number;
}

const unknownOffset = offsetOnly(-1);

/** Errors a fetcher provokes in the course of things; any other is a fault worth an error line. */
const expectedErrors: ReadonlySet<ErrorEntry> = new Set([
  Errors.UNKNOWN_TOPIC_OR_PARTITION,
  Errors.NOT_LEADER_OR_FOLLOWER,
  Errors.UNKNOWN_LEADER_EPOCH,
  Errors.FENCED_LEADER_EPOCH,
  Errors.REPLICA_NOT_AVAILABLE,
  Errors.KAFKA_STORAGE_ERROR,
  Errors.OFFSET_OUT_OF_RANGE,
]);

/** The error of Kafka's table for what a handler of one partition threw. */
export function errorOf(error: unknown): ErrorEntry {
  if (error instanceof KafkaError) return error.error;
  return error instanceof RecordsError ? Errors[error.errorName] : Errors.UNKNOWN_SERVER_ERROR;
}

/** Reads for fetches from the local logs. Part of the reference's `ReplicaManager`. */
export class LocalReads {
  private readonly partitions: HostedPartitions;
  private readonly topicStats: BrokerTopicStats;
  private readonly time: Time;
  private readonly logger: Logger;

  constructor(partitions: HostedPartitions, topicStats: BrokerTopicStats, time: Time, logger: Logger) {
    this.partitions = partitions;
    this.topicStats = topicStats;
    this.time = time;
    this.logger = logger;
  }

  /** Reads the partitions in order until the response is full; the first that has a batch always gives it whole. */
  readFromLocalLog(parameters: FetchParameters): LogReadResult[] {
    const { options } = parameters;
    const results: LogReadResult[] = [];
    let limitBytes = options.maxBytes;
    let minOneMessage = !options.hardMaxBytesLimit;
    for (const request of options.partitions) {
      const result = this.read(request, parameters, limitBytes, minOneMessage);
      const bytes = result.data.records.length;
      if (bytes > 0) minOneMessage = false;
      limitBytes = Math.max(0, limitBytes - bytes);
      results.push(result);
    }
    return results;
  }

  private read(
    request: FetchRequestPartition,
    parameters: FetchParameters,
    limitBytes: number,
    minOneMessage: boolean,
  ): LogReadResult {
    const { options, isolation, requireLeader } = parameters;
    const { topic, partition: index } = request;
    const maxBytes = Math.min(request.maxBytes, limitBytes);
    try {
      const partition = this.partitions.getOrThrow(topic, index);
      this.topicStats.topic(topic).totalFetchRequests += 1;
      const fetchTimeMs = this.time.milliseconds();
      const preferredReadReplica = parameters.preferredReadReplica(partition, request);
      if (preferredReadReplica !== -1) return redirected(partition, request, preferredReadReplica);
      const info = readRecords(partition, request, maxBytes, isolation, requireLeader, minOneMessage, options.buffers);
      const { fetched } = info;
      // From Fetch version 3 on a batch that was cut off is of no use to the fetcher: it gets none.
      const incomplete = !options.hardMaxBytesLimit && fetched.firstEntryIncomplete;
      const isHeldBack = incomplete || parameters.isThrottled(partition);
      return {
        data: {
          topic,
          partition: index,
          errorCode: Errors.NONE.code,
          highWatermark: info.highWatermark,
          lastStableOffset: info.lastStableOffset,
          logStartOffset: info.logStartOffset,
          abortedTransactions: fetched.abortedTransactions,
          divergingEpoch: info.divergingEpoch,
          preferredReadReplica: -1,
          records: isHeldBack ? emptyRecords : fetched.records,
        },
        fetchOffsetMetadata: fetched.fetchOffsetMetadata,
        followerLogStartOffset: request.logStartOffset,
        leaderLogEndOffset: info.logEndOffset,
        fetchTimeMs,
      };
    } catch (error) {
      const entry = errorOf(error);
      if (!expectedErrors.has(entry)) {
        this.topicStats.topicOrOthers(topic).failedFetchRequests += 1;
        const source = options.replicaId >= 0 ? `broker ${options.replicaId}` : 'consumer';
        const key = topicPartitionKey(topic, index);
        this.logger.error(
          `Error processing fetch with max size ${maxBytes} from ${source} on partition ${key}: ` +
            `offset ${request.fetchOffset}`,
          error,
        );
      }
      return failedRead(request, entry);
    }
  }
}

/** Sends a consumer to another replica, with no records: where the partition stands it learns nevertheless. */
function redirected(
  partition: Partition,
  { topic, partition: index, currentLeaderEpoch, logStartOffset }: FetchRequestPartition,
  preferredReadReplica: number,
): LogReadResult {
  const snapshot = partition.fetchOffsetSnapshot(currentLeaderEpoch, false);
  return {
    data: {
      topic,
      partition: index,
      errorCode: Errors.NONE.code,
      highWatermark: snapshot.highWatermark.messageOffset,
      lastStableOffset: snapshot.lastStableOffset.messageOffset,
      logStartOffset: snapshot.logStartOffset,
      abortedTransactions: null,
      divergingEpoch: null,
      preferredReadReplica,
      records: emptyRecords,
    },
    fetchOffsetMetadata: unknownOffset,
    followerLogStartOffset: logStartOffset,
    leaderLogEndOffset: snapshot.logEndOffset.messageOffset,
    fetchTimeMs: -1,
  };
}

function failedRead({ topic, partition }: FetchRequestPartition, error: ErrorEntry): LogReadResult {
  return {
    data: {
      topic,
      partition,
      errorCode: error.code,
      highWatermark: -1,
      lastStableOffset: -1,
      logStartOffset: -1,
      abortedTransactions: null,
      divergingEpoch: null,
      preferredReadReplica: -1,
      records: emptyRecords,
    },
    fetchOffsetMetadata: unknownOffset,
    followerLogStartOffset: -1,
    leaderLogEndOffset: -1,
    fetchTimeMs: -1,
  };
}
