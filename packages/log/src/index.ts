export { KafkaStorageError } from './kafka-storage-error.ts';
export { InvalidConfigError, InvalidConfigurationError } from './config-types.ts';
export { logConfigFromProps, recordMagicOf, topicConfigBrokerNames, topicConfigNames } from './log-config.ts';
export { validateTopicConfig } from './log-config.ts';
export type { LogConfig } from './log-config.ts';
export { LogDirLockedError } from './dir-lock.ts';
export { DuplicateLogDirError } from './log-dirs.ts';
export { ForeignDirectoryError, futureDirName } from './file-names.ts';
export { MalformedCheckpointError } from './checkpoint-file.ts';
export type { LogDescription, LogDirDescription } from './log-dir-description.ts';
export { LogManager } from './log-manager.ts';
export type { LogReconfiguration } from './log-reconfiguration.ts';
export type { LogCleanerMetrics } from './cleaner/log-cleaner.ts';
export type { LogManagerOptions } from './log-manager-options.ts';
export { isOffsetOnly, offsetOnly, onOlderSegment, onSameSegment, positionDiff } from './log-offset-metadata.ts';
export type { LogOffsetMetadata } from './log-offset-metadata.ts';
export type {
  AbortedTransaction,
  ActiveProducer,
  AppendOrigin,
  FetchDataInfo,
  FetchIsolation,
  LogAppendInfo,
  LogOffsetSnapshot,
  LogStartOffsetIncrementReason,
  TimestampAndOffset,
} from './log-types.ts';
export { UnexpectedAppendOffsetError } from './log-appender.ts';
export { Log } from './log.ts';
export type { BufferSource } from './log-file.ts';
export { BufferLease, ReadBuffers } from './read-buffers.ts';
export type { LogOptions } from './log-options.ts';
export { MalformedMetaPropertiesError, readMetaProperties, writeMetaProperties } from './meta-properties.ts';
export type { MetaProperties } from './meta-properties.ts';
export { HIGH_WATERMARK_CHECKPOINT, OffsetCheckpointFile } from './offset-checkpoint-file.ts';
export { isListConfig, topicConfigTexts, topicConfigType } from './topic-config-texts.ts';
export type { TopicConfigText, TopicConfigType } from './topic-config-texts.ts';
export { OffsetIndex } from './offset-index.ts';
export { CorruptSnapshotError, readSnapshot } from './producer-snapshot.ts';
export { firstSequence } from './producer-state-entry.ts';
export { TimeIndex } from './time-index.ts';
export { CorruptIndexError, TransactionIndex } from './transaction-index.ts';
export { legacyOffsetsBefore } from './legacy-offsets.ts';
