/** Settings of one log, from the topic's overrides and the broker's defaults. Counterpart of `kafka.log.LogConfig`. */
export interface LogConfig {
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly segmentJitterMs: number;
  readonly segmentIndexBytes: number;
  readonly indexIntervalBytes: number;
  /** Messages between two forced flushes; Infinity for never. */
  readonly flushMessages: number;
  /** ms between two forced flushes; Infinity for never. */
  readonly flushMs: number;
  /** -1 for no limit. */
  readonly retentionBytes: number;
  /** -1 for no limit. */
  readonly retentionMs: number;
  readonly maxMessageBytes: number;
  readonly fileDeleteDelayMs: number;
  readonly deleteRetentionMs: number;
  readonly minCompactionLagMs: number;
  readonly maxCompactionLagMs: number;
  readonly minCleanableDirtyRatio: number;
  readonly cleanupPolicy: readonly ('delete' | 'compact')[];
  readonly uncleanLeaderElectionEnable: boolean;
  readonly minInSyncReplicas: number;
  readonly compressionType: 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  readonly preallocate: boolean;
  readonly messageFormatVersion: string;
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime';
  readonly messageTimestampDifferenceMaxMs: number;
  readonly leaderReplicationThrottledReplicas: readonly string[];
  readonly followerReplicationThrottledReplicas: readonly string[];
  readonly messageDownConversionEnable: boolean;
}

/** A topic setting that is unknown, not of its type, or outside its valid values; `message` is Kafka's own. */
export class InvalidConfigError extends Error {
  override readonly name = 'InvalidConfigError';
}

/**
 * The settings of a topic's log.
 *
 * @param brokerDefaults broker settings by name (`log.segment.bytes` …); absent ones have Kafka's defaults
 * @param overrides topic settings by name (`segment.bytes` …), as in the znode `/config/topics/<topic>`
 * @throws InvalidConfigError with Kafka's message
 */
export function logConfigFromProps(
  _brokerDefaults: Readonly<Record<string, string>>,
  _overrides: Readonly<Record<string, string>>,
): LogConfig {
  throw new InvalidConfigError('being built');
}

/**
 * Checks a topic's overrides as CreateTopics and AlterConfigs do (`LogConfig.validate`).
 *
 * @throws InvalidConfigError with Kafka's message for the first fault
 */
export function validateTopicConfig(_overrides: Readonly<Record<string, string>>): void {
  throw new InvalidConfigError('being built');
}
