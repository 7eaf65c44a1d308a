import type { Histogram, LoggerFactory, Random, Time } from '@klassic/common';
import type { KafkaStorageError } from './kafka-storage-error.ts';

export interface LogManagerOptions {
  /** `log.dirs` */
  readonly logDirs: readonly string[];
  /** Log dirs found bad before (an unreadable `meta.properties`): they are not used. */
  readonly initialOfflineDirs?: readonly string[];
  /** Broker settings by name, the defaults of every topic. */
  readonly brokerDefaults: Readonly<Record<string, string>>;
  /** A topic's own settings, as in `/config/topics/<topic>`. */
  readonly topicConfigs: (topic: string) => Readonly<Record<string, string>>;
  /** `log.flush.scheduler.interval.ms`; never by default. */
  readonly flushCheckMs?: number;
  /** `log.retention.check.interval.ms` */
  readonly retentionCheckMs?: number;
  /** `log.flush.offset.checkpoint.interval.ms` */
  readonly flushRecoveryOffsetCheckpointMs?: number;
  /** `log.flush.start.offset.checkpoint.interval.ms` */
  readonly flushStartOffsetCheckpointMs?: number;
  /** Takes the duration of each flush of a log, ms (`LogFlushRateAndTimeMs`). */
  readonly flushTimeMs?: Histogram;
  /** `transactional.id.expiration.ms` */
  readonly producerIdExpirationMs?: number;
  /** Whether the inter-broker protocol (2.8 and later) keeps topic ids in `partition.metadata`. */
  readonly keepPartitionMetadataFile?: boolean;
  readonly time: Time;
  readonly random: Random;
  readonly loggers: LoggerFactory;
  /**
   * Called once for each log dir that fails, on a later turn of the event loop. Whoever keeps partitions lets go of
   * those in the dir and calls `handleLogDirFailure`.
   */
  readonly onLogDirFailure?: (logDir: string, error: KafkaStorageError) => void;
}
