/** The settings of `server.properties` that group coordination reads, by their reference names. */
export interface GroupConfig {
  /** `group.min.session.timeout.ms` */
  readonly minSessionTimeoutMs: number;
  /** `group.max.session.timeout.ms` */
  readonly maxSessionTimeoutMs: number;
  /** `group.max.size` */
  readonly maxSize: number;
  /** `group.initial.rebalance.delay.ms`: how long an empty group waits for more members. */
  readonly initialRebalanceDelayMs: number;
  /** `offset.metadata.max.bytes`: characters of metadata with a committed offset, whatever its name says. */
  readonly offsetMetadataMaxSize: number;
  /** `offsets.load.buffer.size`: bytes read at once while loading. */
  readonly offsetsLoadBufferSize: number;
  /** `offsets.retention.minutes` */
  readonly offsetsRetentionMinutes: number;
  /** `offsets.retention.check.interval.ms` */
  readonly offsetsRetentionCheckIntervalMs: number;
  /** `offsets.commit.timeout.ms`: how long the ISR may take to have a commit. */
  readonly offsetsCommitTimeoutMs: number;
  /** `offsets.commit.required.acks` */
  readonly offsetsCommitRequiredAcks: number;
  /** `offsets.topic.compression.codec`: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly offsetsTopicCompressionCodec: number;
}

/** The reference's defaults. */
export const defaultGroupConfig: GroupConfig = {
  minSessionTimeoutMs: 6000,
  maxSessionTimeoutMs: 1_800_000,
  maxSize: 2 ** 31 - 1,
  initialRebalanceDelayMs: 3000,
  offsetMetadataMaxSize: 4096,
  offsetsLoadBufferSize: 5 * 1024 * 1024,
  offsetsRetentionMinutes: 7 * 24 * 60,
  offsetsRetentionCheckIntervalMs: 600_000,
  offsetsCommitTimeoutMs: 5000,
  offsetsCommitRequiredAcks: -1,
  offsetsTopicCompressionCodec: 0,
};
