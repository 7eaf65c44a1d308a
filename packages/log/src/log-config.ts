import { hashMapOrder } from '@klassic/common';
import {
  boolean,
  double,
  int,
  InvalidConfigurationError,
  listOf,
  long,
  messageFormat,
  oneOf,
  throttledReplicas,
} from './config-types.ts';
import type { ConfigParser } from './config-types.ts';

/** Settings of one log: the topic's own, else the broker's. Counterpart of `kafka.log.LogConfig`. */
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
  /** Negative for no limit. */
  readonly retentionBytes: number;
  /** Negative for no limit. */
  readonly retentionMs: number;
  readonly maxMessageBytes: number;
  readonly fileDeleteDelayMs: number;
  readonly deleteRetentionMs: number;
  readonly minCompactionLagMs: number;
  /** Infinity for no limit. */
  readonly maxCompactionLagMs: number;
  readonly minCleanableDirtyRatio: number;
  readonly cleanupPolicy: readonly ('delete' | 'compact')[];
  readonly uncleanLeaderElectionEnable: boolean;
  readonly minInSyncReplicas: number;
  readonly compressionType: 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  readonly preallocate: boolean;
  readonly messageFormatVersion: string;
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime';
  /** ms; Infinity for no limit. */
  readonly messageTimestampDifferenceMaxMs: number;
  readonly leaderReplicationThrottledReplicas: readonly string[];
  readonly followerReplicationThrottledReplicas: readonly string[];
  readonly messageDownConversionEnable: boolean;
}

/** A topic setting: its name, how its text is read, its default, and the broker setting that stands in for it. */
interface Definition<T> {
  readonly name: string;
  readonly parse: ConfigParser<T>;
  readonly defaultText: string;
  /** By preference; each with what one unit of it is in the topic setting's unit. */
  readonly broker: readonly (readonly [name: string, unit: number])[];
}

const NEVER = '9223372036854775807';
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function define<T>(
  name: string,
  parse: ConfigParser<T>,
  defaultText: string,
  ...broker: readonly (string | readonly [string, number])[]
): Definition<T> {
  return { name, parse, defaultText, broker: broker.map((entry) => (typeof entry === 'string' ? [entry, 1] : entry)) };
}

const definitions: { readonly [K in keyof LogConfig]: Definition<LogConfig[K]> } = {
  segmentBytes: define('segment.bytes', int(14), '1073741824', 'log.segment.bytes'),
  segmentMs: define('segment.ms', long(1), '604800000', 'log.roll.ms', ['log.roll.hours', HOUR_MS]),
  segmentJitterMs: define('segment.jitter.ms', long(0), '0', 'log.roll.jitter.ms', ['log.roll.jitter.hours', HOUR_MS]),
  segmentIndexBytes: define('segment.index.bytes', int(0), '10485760', 'log.index.size.max.bytes'),
  flushMessages: define('flush.messages', long(0), NEVER, 'log.flush.interval.messages'),
  flushMs: define('flush.ms', long(0), NEVER, 'log.flush.interval.ms', 'log.flush.scheduler.interval.ms'),
  retentionBytes: define('retention.bytes', long(), '-1', 'log.retention.bytes'),
  retentionMs: define(
    'retention.ms',
    long(-1),
    '604800000',
    'log.retention.ms',
    ['log.retention.minutes', MINUTE_MS],
    ['log.retention.hours', HOUR_MS],
  ),
  maxMessageBytes: define('max.message.bytes', int(0), '1048588', 'message.max.bytes'),
  indexIntervalBytes: define('index.interval.bytes', int(0), '4096', 'log.index.interval.bytes'),
  deleteRetentionMs: define('delete.retention.ms', long(0), '86400000', 'log.cleaner.delete.retention.ms'),
  minCompactionLagMs: define('min.compaction.lag.ms', long(0), '0', 'log.cleaner.min.compaction.lag.ms'),
  maxCompactionLagMs: define('max.compaction.lag.ms', long(1), NEVER, 'log.cleaner.max.compaction.lag.ms'),
  fileDeleteDelayMs: define('file.delete.delay.ms', long(0), '60000', 'log.segment.delete.delay.ms'),
  minCleanableDirtyRatio: define('min.cleanable.dirty.ratio', double(0, 1), '0.5', 'log.cleaner.min.cleanable.ratio'),
  cleanupPolicy: define('cleanup.policy', listOf('compact', 'delete'), 'delete', 'log.cleanup.policy'),
  uncleanLeaderElectionEnable: define(
    'unclean.leader.election.enable',
    boolean,
    'false',
    'unclean.leader.election.enable',
  ),
  minInSyncReplicas: define('min.insync.replicas', int(1), '1', 'min.insync.replicas'),
  compressionType: define(
    'compression.type',
    oneOf('uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'),
    'producer',
    'compression.type',
  ),
  preallocate: define('preallocate', boolean, 'false', 'log.preallocate'),
  messageFormatVersion: define('message.format.version', messageFormat, '2.8-IV1', 'log.message.format.version'),
  messageTimestampType: define(
    'message.timestamp.type',
    oneOf('CreateTime', 'LogAppendTime'),
    'CreateTime',
    'log.message.timestamp.type',
  ),
  messageTimestampDifferenceMaxMs: define(
    'message.timestamp.difference.max.ms',
    long(0),
    NEVER,
    'log.message.timestamp.difference.max.ms',
  ),
  leaderReplicationThrottledReplicas: define('leader.replication.throttled.replicas', throttledReplicas, ''),
  followerReplicationThrottledReplicas: define('follower.replication.throttled.replicas', throttledReplicas, ''),
  messageDownConversionEnable: define(
    'message.downconversion.enable',
    boolean,
    'true',
    'log.message.downconversion.enable',
  ),
};

type Key = keyof LogConfig;
const keys = Object.keys(definitions) as Key[];
const keyByName = new Map(keys.map((key) => [definitions[key].name, key]));

/** Each topic setting's name, default, and the broker settings that stand in for it. */
export const topicConfigDefinitions: readonly Pick<Definition<unknown>, 'name' | 'defaultText' | 'broker'>[] =
  Object.values(definitions);

/** The broker settings that are defaults of topics' settings, each by its first name, and that a running broker takes. */
export const topicConfigBrokerNames: readonly string[] = topicConfigDefinitions
  .flatMap(({ broker }) => broker.slice(0, 1).map(([name]) => name))
  .filter((name) => name !== 'log.message.format.version');

/** Names of all topic settings, sorted. */
export const topicConfigNames: readonly string[] = [...keyByName.keys()].sort();

/**
 * The settings of a topic's log.
 *
 * @param brokerDefaults broker settings by name (`log.segment.bytes` …); those that are absent have Kafka's defaults
 * @param overrides topic settings by name (`segment.bytes` …), as in the znode `/config/topics/<topic>`
 * @throws InvalidConfigError
 */
export function logConfigFromProps(
  brokerDefaults: Readonly<Record<string, string>>,
  overrides: Readonly<Record<string, string>>,
): LogConfig {
  return Object.fromEntries(keys.map((key) => [key, valueOf(key, brokerDefaults, overrides)])) as unknown as LogConfig;
}

/**
 * Checks a topic's settings as CreateTopics and AlterConfigs do (`LogConfig.validate`).
 *
 * @throws InvalidConfigError for the first fault
 */
export function validateTopicConfig(overrides: Readonly<Record<string, string>>): void {
  for (const name of hashMapOrder(Object.keys(overrides))) {
    if (!keyByName.has(name)) throw new InvalidConfigurationError(`Unknown topic config name: ${name}`);
  }
  const { minCompactionLagMs, maxCompactionLagMs } = logConfigFromProps({}, overrides);
  if (minCompactionLagMs > maxCompactionLagMs) {
    throw new InvalidConfigurationError(
      `conflict topic config setting min.compaction.lag.ms (${longText(minCompactionLagMs)}) > ` +
        `max.compaction.lag.ms (${longText(maxCompactionLagMs)})`,
    );
  }
}

function longText(value: number): string {
  return value === Infinity ? NEVER : String(value);
}

/** The message format (magic) that `message.format.version` stands for. */
export function recordMagicOf(messageFormatVersion: string): 0 | 1 | 2 {
  if (/^0\.[89]\./.test(messageFormatVersion)) return 0;
  return messageFormatVersion.startsWith('0.10.') ? 1 : 2;
}

function valueOf(
  key: Key,
  brokerDefaults: Readonly<Record<string, string>>,
  overrides: Readonly<Record<string, string>>,
): LogConfig[Key] {
  const { name, parse, defaultText, broker } = definitions[key];
  const override = overrides[name];
  if (override !== undefined) return parse(name, override);
  for (const [brokerName, unit] of broker) {
    const text = brokerDefaults[brokerName];
    if (text === undefined || text === '') continue;
    return unit === 1 ? parse(name, text) : parse(name, inUnits(brokerName, text, unit));
  }
  return parse(name, defaultText);
}

/** Hours or minutes as ms; negative stays "no limit". */
export function inUnits(brokerName: string, text: string, unit: number): string {
  const value = int()(brokerName, text);
  return String(value < 0 ? -1 : value * unit);
}
