import { topicPartitionKey } from '@klassic/common';
import type { Logger } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import { isInternalTopic } from '../metadata/index.ts';
import { DelayedDeleteRecords } from './delayed-delete-records.ts';
import type { DeleteRecordsStatus } from './delayed-delete-records.ts';
import type { DelayedOperationPurgatory } from './delayed-operation.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import { errorOf } from './local-reads.ts';

/** Offset by which DeleteRecords names the high watermark. */
const upToHighWatermark = -1;

export interface DeleteRecordsOptions {
  readonly timeoutMs: number;
  readonly partitions: readonly {
    readonly topic: string;
    readonly partition: number;
    /** New log start offset; -1: the high watermark. */
    readonly offset: number;
  }[];
}

export interface DeleteRecordsResult {
  readonly errorCode: number;
  /** Lowest log start offset of the live replicas; -1 with an error. */
  readonly lowWatermark: number;
}

/** Deletes the beginning of logs led here. Part of the reference's `ReplicaManager`. */
export class LocalDeletes {
  private readonly partitions: HostedPartitions;
  private readonly purgatory: DelayedOperationPurgatory<DelayedDeleteRecords>;
  private readonly logger: Logger;

  constructor(
    partitions: HostedPartitions,
    purgatory: DelayedOperationPurgatory<DelayedDeleteRecords>,
    logger: Logger,
  ) {
    this.partitions = partitions;
    this.purgatory = purgatory;
    this.logger = logger;
  }

  /** As `ReplicaManager.deleteRecords`. */
  deleteRecords({ timeoutMs, partitions }: DeleteRecordsOptions): Promise<Map<string, DeleteRecordsResult>> {
    const statuses = new Map<string, DeleteRecordsStatus>();
    for (const { topic, partition, offset } of partitions) {
      statuses.set(topicPartitionKey(topic, partition), this.deleteLocally(topic, partition, offset));
    }
    const waits = [...statuses.values()].some(
      ({ errorCode, lowWatermark, requestedOffset }) =>
        errorCode === Errors.NONE.code && lowWatermark < requestedOffset,
    );
    if (!waits) return Promise.resolve(statuses);
    return new Promise((resolve) => {
      const operation = new DelayedDeleteRecords(this.partitions, timeoutMs, statuses, () => {
        resolve(statuses);
      });
      this.purgatory.tryCompleteElseWatch(operation, operation.watchKeys);
    });
  }

  private deleteLocally(topic: string, index: number, offset: number): DeleteRecordsStatus {
    const status = { topic, partition: index, acksPending: false };
    try {
      if (isInternalTopic(topic)) {
        throw new KafkaError(Errors.INVALID_TOPIC_EXCEPTION, `Cannot delete records of internal topic ${topic}`);
      }
      const partition = this.partitions.getOrThrow(topic, index);
      const log = partition.localLogWithEpochOrException(-1, true);
      if (!log.config.cleanupPolicy.includes('delete')) {
        throw new KafkaError(
          Errors.POLICY_VIOLATION,
          `Records of partition ${partition.key} can not be deleted due to the configured policy`,
        );
      }
      const requestedOffset = offset === upToHighWatermark ? log.highWatermark : offset;
      if (requestedOffset < 0) {
        const message = `The offset ${requestedOffset} for partition ${partition.key} is not valid`;
        throw new KafkaError(Errors.OFFSET_OUT_OF_RANGE, message);
      }
      log.maybeIncrementLogStartOffset(requestedOffset, 'client delete records request');
      return {
        ...status,
        requestedOffset,
        lowWatermark: partition.lowWatermarkIfLeader(),
        errorCode: Errors.NONE.code,
      };
    } catch (error) {
      const entry = errorOf(error);
      if (!(error instanceof KafkaError)) {
        this.logger.error(
          `Error processing delete records operation on partition ${topicPartitionKey(topic, index)}`,
          error,
        );
      }
      return { ...status, requestedOffset: -1, lowWatermark: -1, errorCode: entry.code };
    }
  }
}
