import type { LoggerFactory, Time, TopicPartition } from '@klassic/common';
import type { LogConfig } from './log-config.ts';
import type { LogOffsetMetadata } from './log-offset-metadata.ts';
import type {
  ActiveProducer,
  AppendOrigin,
  FetchDataInfo,
  FetchIsolation,
  LogAppendInfo,
  LogOffsetSnapshot,
  LogStartOffsetIncrementReason,
  TimestampAndOffset,
} from './log-types.ts';

export interface LogOptions {
  /** The partition's folder, `<log dir>/<topic>-<partition>`. */
  readonly dir: string;
  readonly topicPartition: TopicPartition;
  readonly config: LogConfig;
  /** From `log-start-offset-checkpoint`; 0 when unknown. */
  readonly logStartOffset?: number;
  /** From `recovery-point-offset-checkpoint`; 0 when unknown. */
  readonly recoveryPoint?: number;
  readonly hadCleanShutdown?: boolean;
  readonly time: Time;
  readonly loggers: LoggerFactory;
  /** `transactional.id.expiration.ms`, the time after which an idle producer id is forgotten. */
  readonly producerIdExpirationMs?: number;
}

/** One partition's log. Counterpart of `kafka.log.Log`. */
export abstract class Log {
  /** Opens the folder (made when missing), recovering what an unclean stop left. */
  static open(_options: LogOptions): Log {
    throw new Error('being built');
  }

  abstract readonly topicPartition: TopicPartition;
  /** The partition's folder. */
  abstract readonly dir: string;
  /** The log dir that holds the folder. */
  abstract readonly parentDir: string;
  abstract readonly config: LogConfig;
  abstract readonly logStartOffset: number;
  abstract readonly logEndOffset: number;
  abstract readonly logEndOffsetMetadata: LogOffsetMetadata;
  abstract readonly highWatermark: number;
  abstract readonly highWatermarkMetadata: LogOffsetMetadata;
  abstract readonly lastStableOffset: number;
  abstract readonly recoveryPoint: number;
  abstract readonly latestEpoch: number | null;
  /** Bytes of all `.log` files. */
  abstract readonly size: number;
  abstract readonly numberOfSegments: number;
  /** Base64 topic id from `partition.metadata`; null without one. */
  abstract readonly topicId: string | null;

  abstract appendAsLeader(records: Buffer, leaderEpoch: number, origin?: AppendOrigin): LogAppendInfo;
  abstract appendAsFollower(records: Buffer): LogAppendInfo;
  abstract read(
    startOffset: number,
    maxLength: number,
    isolation: FetchIsolation,
    minOneMessage: boolean,
  ): FetchDataInfo;
  abstract updateHighWatermark(offset: number): number;
  abstract maybeIncrementHighWatermark(newHighWatermark: LogOffsetMetadata): LogOffsetMetadata | null;
  abstract fetchOffsetSnapshot(): LogOffsetSnapshot;
  abstract maybeIncrementLogStartOffset(offset: number, reason: LogStartOffsetIncrementReason): void;
  abstract fetchOffsetByTimestamp(timestamp: number): TimestampAndOffset | null;
  abstract endOffsetForEpoch(leaderEpoch: number): { leaderEpoch: number; offset: number } | null;
  abstract maybeAssignEpochStartOffset(leaderEpoch: number, startOffset: number): void;
  abstract truncateTo(offset: number): boolean;
  abstract truncateFullyAndStartAt(offset: number): void;
  abstract flush(offset?: number): Promise<void>;
  abstract roll(expectedNextOffset?: number): void;
  abstract deleteOldSegments(): number;
  abstract updateConfig(config: LogConfig): void;
  abstract activeProducers(): ActiveProducer[];
  abstract renameDir(name: string): void;
  abstract close(): void;
  abstract delete(): void;
}
