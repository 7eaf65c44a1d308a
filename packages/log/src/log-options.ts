import type { Histogram, LoggerFactory, Time, TopicPartition } from '@klassic/common';
import type { KafkaStorageError } from './kafka-storage-error.ts';
import type { LogConfig } from './log-config.ts';

export interface LogOptions {
  /** The partition's folder, `<log dir>/<topic>-<partition>`; made when missing. */
  readonly dir: string;
  /** Whether the folder was made a moment ago, and is empty: it is not looked through then. */
  readonly isFolderNew?: boolean;
  /** By default what the folder's name says. */
  readonly topicPartition?: TopicPartition;
  readonly config: LogConfig;
  /** From `log-start-offset-checkpoint`; 0 when unknown. */
  readonly logStartOffset?: number;
  /** From `recovery-point-offset-checkpoint`; 0 when unknown. */
  readonly recoveryPoint?: number;
  /** Whether the log dir had its clean shutdown marker; else what lies above the recovery point is checked. */
  readonly hadCleanShutdown?: boolean;
  readonly time: Time;
  readonly loggers: LoggerFactory;
  /** Takes the duration of each flush. */
  readonly flushTimeMs?: Histogram;
  /** Chance in [0, 1) for `segment.jitter.ms`. */
  readonly jitter?: () => number;
  /** `transactional.id.expiration.ms`: idle ms after which a producer id is forgotten. */
  readonly producerIdExpirationMs?: number;
  /** Inter-broker protocol 2.8 and later keep a topic id in `partition.metadata`; before, the file is deleted. */
  readonly keepPartitionMetadataFile?: boolean;
  /** Called when the disk refuses something, before the error is thrown (or where nobody waits for it). */
  readonly onStorageError?: (error: KafkaStorageError) => void;
}
