import type { LoggerFactory, Random, Time, TopicPartition } from '@klassic/common';
import type { LogConfig } from './log-config.ts';
import type { Log } from './log.ts';

export interface LogManagerOptions {
  /** `log.dirs`. */
  readonly logDirs: readonly string[];
  /** Dirs found bad before (unreadable `meta.properties`): never used. */
  readonly initialOfflineDirs?: readonly string[];
  /** Broker settings by name, the defaults of every topic. */
  readonly brokerDefaults: Readonly<Record<string, string>>;
  /** A topic's overrides (`/config/topics/<topic>`). */
  readonly topicConfigs: (topic: string) => Readonly<Record<string, string>>;
  /** `log.flush.scheduler.interval.ms` */
  readonly flushCheckMs?: number;
  /** `log.retention.check.interval.ms` */
  readonly retentionCheckMs?: number;
  /** `log.flush.offset.checkpoint.interval.ms` */
  readonly flushRecoveryOffsetCheckpointMs?: number;
  /** `log.flush.start.offset.checkpoint.interval.ms` */
  readonly flushStartOffsetCheckpointMs?: number;
  readonly producerIdExpirationMs?: number;
  readonly time: Time;
  readonly random: Random;
  readonly loggers: LoggerFactory;
  /** Called once for each log dir that fails; the caller calls `handleLogDirFailure` when it has moved its partitions off. */
  readonly onLogDirFailure?: (logDir: string, error: unknown) => void;
}

/** All logs of a broker. Counterpart of `kafka.log.LogManager`. */
export abstract class LogManager {
  static create(_options: LogManagerOptions): LogManager {
    throw new Error('being built');
  }

  /** Loads every log, recovering after an unclean stop, and starts the background tasks. */
  abstract startup(): Promise<void>;
  abstract getLog(topicPartition: TopicPartition): Log | undefined;
  /** @throws KafkaStorageError when the log's dir, or every dir, is offline */
  abstract getOrCreateLog(topicPartition: TopicPartition, options?: { isNew?: boolean }): Log;
  abstract allLogs(): IterableIterator<Log>;
  abstract asyncDelete(topicPartition: TopicPartition): Log | undefined;
  abstract updateTopicConfig(topic: string, overrides: Readonly<Record<string, string>>): void;
  abstract reconfigureDefaultLogConfig(brokerDefaults: Readonly<Record<string, string>>): void;
  /** Config for a topic: broker defaults and the topic's overrides. */
  abstract fetchLogConfig(topic: string): LogConfig;
  /** Truncates logs and checkpoints the recovery points of their dirs. Keys as of `topicPartitionKey`. */
  abstract truncateTo(offsets: ReadonlyMap<string, number>): void;
  abstract truncateFullyAndStartAt(topicPartition: TopicPartition, offset: number): void;
  abstract checkpointLogRecoveryOffsets(): void;
  abstract checkpointLogStartOffsets(): void;
  abstract readonly liveLogDirs: readonly string[];
  abstract readonly offlineLogDirs: readonly string[];
  abstract isLogDirOnline(logDir: string): boolean;
  /** Drops every log of the dir. Returns their keys. */
  abstract handleLogDirFailure(logDir: string): string[];
  /** Flushes and closes all logs, writes checkpoints and the clean shutdown markers. */
  abstract shutdown(): Promise<void>;
}
