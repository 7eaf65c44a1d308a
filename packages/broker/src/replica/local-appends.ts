import type { Logger } from '@klassic/common';
import type { AppendOrigin, LogAppendInfo } from '@klassic/log';
import { Errors, RecordValidationError } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';
import { isInternalTopic } from '../metadata/index.ts';
import type { BrokerTopicStats } from '../metrics/index.ts';
import type { DelayedOperations } from './delayed-operations.ts';
import { DelayedProduce } from './delayed-produce.ts';
import type { ProducePartitionStatus } from './delayed-produce.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import { errorOf } from './local-reads.ts';
import type { AppendEntry, AppendRecordsOptions, PartitionResponse } from './messages.ts';

/** What became of the records for one partition. Counterpart of `kafka.server.LogAppendResult`. */
interface LogAppendResult {
  readonly response: PartitionResponse;
  /** Offset after the last record; what acks=all waits for. */
  readonly requiredOffset: number;
  /** False when nothing was appended. */
  readonly appended: boolean;
  readonly highWatermarkMoved: boolean;
}

/** Errors a producer provokes in the course of things; any other is worth an error line. */
const expectedErrors: ReadonlySet<ErrorEntry> = new Set([
  Errors.UNKNOWN_TOPIC_OR_PARTITION,
  Errors.NOT_LEADER_OR_FOLLOWER,
  Errors.MESSAGE_TOO_LARGE,
  Errors.RECORD_LIST_TOO_LARGE,
  Errors.CORRUPT_MESSAGE,
  Errors.KAFKA_STORAGE_ERROR,
]);

const tooLarge: ReadonlySet<ErrorEntry> = new Set([Errors.MESSAGE_TOO_LARGE, Errors.RECORD_LIST_TOO_LARGE]);

/** What records are appended with. */
export interface LocalAppendsOptions {
  readonly partitions: HostedPartitions;
  readonly topicStats: BrokerTopicStats;
  readonly logger: Logger;
  readonly delayed: DelayedOperations;
}

/** Appends a producer's records to the logs led here, and waits for the ISR to have them. Part of the reference's `ReplicaManager`. */
export class LocalAppends {
  private readonly options: LocalAppendsOptions;

  constructor(options: LocalAppendsOptions) {
    this.options = options;
  }

  /** As `ReplicaManager.appendRecords`. */
  appendRecords(options: AppendRecordsOptions): Promise<Map<string, PartitionResponse>> {
    const { requiredAcks, entries, origin, internalTopicsAllowed, timeoutMs } = options;
    const responses = new Map<string, PartitionResponse>();
    if (requiredAcks < -1 || requiredAcks > 1) {
      for (const key of entries.keys()) responses.set(key, errorResponse(Errors.INVALID_REQUIRED_ACKS));
      return Promise.resolve(responses);
    }
    const statuses = new Map<string, ProducePartitionStatus>();
    const moved: [string, boolean][] = [];
    for (const [key, entry] of entries) {
      const result = this.append(key, entry, origin, requiredAcks, internalTopicsAllowed);
      const { response, requiredOffset } = result;
      responses.set(key, response);
      if (result.appended) moved.push([key, result.highWatermarkMoved]);
      const { topic, partition } = entry;
      statuses.set(key, { topic, partition, requiredOffset, response, acksPending: false });
    }
    const answer =
      requiredAcks === -1 && moved.length > 0
        ? this.waitForIsr(timeoutMs, statuses, responses)
        : Promise.resolve(responses);
    for (const [key, highWatermarkMoved] of moved) {
      if (highWatermarkMoved) this.options.delayed.checkAndCompleteAll(key);
      else this.options.delayed.fetch.checkAndComplete(key);
    }
    return answer;
  }

  private waitForIsr(
    timeoutMs: number,
    statuses: ReadonlyMap<string, ProducePartitionStatus>,
    responses: Map<string, PartitionResponse>,
  ): Promise<Map<string, PartitionResponse>> {
    return new Promise((resolve) => {
      const operation = new DelayedProduce(this.options.partitions, timeoutMs, statuses, () => {
        resolve(responses);
      });
      this.options.delayed.produce.tryCompleteElseWatch(operation, operation.watchKeys);
    });
  }

  /** Appends to one partition; what fails is told in the result. */
  private append(
    key: string,
    { topic, partition: index, records }: AppendEntry,
    origin: AppendOrigin,
    requiredAcks: number,
    internalTopicsAllowed: boolean,
  ): LogAppendResult {
    if (isInternalTopic(topic) && !internalTopicsAllowed) return failed(Errors.INVALID_TOPIC_EXCEPTION, -1);
    try {
      const partition = this.options.partitions.getOrThrow(topic, index);
      const counters = this.options.topicStats.topic(topic);
      counters.totalProduceRequests += 1;
      const { info, highWatermarkMoved } = partition.appendRecordsToLeader(records, origin, requiredAcks);
      counters.bytesIn += info.validBytes;
      if (info.firstOffset !== null) counters.messagesIn += info.lastOffset - info.firstOffset.messageOffset + 1;
      return { response: toResponse(info), requiredOffset: info.lastOffset + 1, appended: true, highWatermarkMoved };
    } catch (error) {
      return this.failure(key, topic, records, error);
    }
  }

  private failure(key: string, topic: string, records: Buffer, error: unknown): LogAppendResult {
    const counters = this.options.topicStats.topicOrOthers(topic);
    if (error instanceof RecordValidationError) {
      counters.failedProduceRequests += 1;
      this.options.logger.error(`Error processing append operation on partition ${key}`, error);
      const recordErrors = error.recordErrors.map(({ batchIndex, message }) => ({
        batchIndex,
        batchIndexErrorMessage: message,
      }));
      return failed(errorOf(error), this.logStartOffset(key), recordErrors, error.message);
    }
    const entry = errorOf(error);
    if (tooLarge.has(entry)) counters.bytesRejected += records.length;
    if (expectedErrors.has(entry)) return failed(entry, -1);
    counters.failedProduceRequests += 1;
    this.options.logger.error(`Error processing append operation on partition ${key}`, error);
    return failed(entry, this.logStartOffset(key));
  }

  private logStartOffset(key: string): number {
    return this.options.partitions.getOnline(key)?.leaderLogIfLocal?.logStartOffset ?? -1;
  }
}

function toResponse(info: LogAppendInfo): PartitionResponse {
  return {
    errorCode: Errors.NONE.code,
    baseOffset: info.firstOffset?.messageOffset ?? -1,
    logAppendTimeMs: info.logAppendTime,
    logStartOffset: info.logStartOffset,
    recordErrors: info.recordErrors.map(({ batchIndex, message }) => ({ batchIndex, batchIndexErrorMessage: message })),
    errorMessage: info.errorMessage,
  };
}

function failed(
  error: ErrorEntry,
  logStartOffset: number,
  recordErrors: PartitionResponse['recordErrors'] = [],
  errorMessage: string | null = null,
): LogAppendResult {
  return { response: errorResponse(error, logStartOffset, recordErrors, errorMessage), ...nothing };
}

const nothing = { requiredOffset: 0, appended: false, highWatermarkMoved: false };

/** Answer to a partition to which nothing was appended. */
function errorResponse(
  error: ErrorEntry,
  logStartOffset = -1,
  recordErrors: PartitionResponse['recordErrors'] = [],
  errorMessage: string | null = null,
): PartitionResponse {
  return { errorCode: error.code, baseOffset: -1, logAppendTimeMs: -1, logStartOffset, recordErrors, errorMessage };
}
