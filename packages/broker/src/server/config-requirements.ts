import { ConfigException, RequirementFailed } from './config-value.ts';

/** What the checks read. */
interface ReadableConfig {
  number(name: string): number;
  optionalNumber(name: string): number | null;
  string(name: string): string;
}

const compressions = ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'];
const cleanerBufferBytes = 1024 * 1024;

/**
 * What settings must be beyond their types and ranges, worded as the original words it (`KafkaConfig.validateValues`).
 *
 * @throws RequirementFailed
 */
export function checkRequirements(config: ReadableConfig): void {
  const require = (holds: boolean, message: string): void => {
    if (!holds) throw new RequirementFailed(message);
  };
  const milliseconds = (ms: string, hours: string): number => config.optionalNumber(ms) ?? config.number(hours);
  require(milliseconds('log.roll.ms', 'log.roll.hours') >= 1, 'log.roll.ms must be greater than or equal to 1');
  require(milliseconds('log.roll.jitter.ms', 'log.roll.jitter.hours') >=
    0, 'log.roll.jitter.ms must be greater than or equal to 0');
  const retention =
    config.optionalNumber('log.retention.ms') ??
    config.optionalNumber('log.retention.minutes') ??
    config.number('log.retention.hours');
  require(retention !== 0, 'log.retention.ms must be unlimited (-1) or, greater than or equal to 1');
  const cleaners = config.number('log.cleaner.threads');
  if (cleaners < 1) throw new ConfigException('Log cleaner threads should be at least 1');
  require(config.number('log.cleaner.dedupe.buffer.size') / cleaners >
    cleanerBufferBytes, 'log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.');
  const wait = config.number('replica.fetch.wait.max.ms');
  require(wait <=
    config.number(
      'replica.socket.timeout.ms',
    ), 'replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent unnecessary socket timeouts');
  require(wait <=
    config.number(
      'replica.lag.time.max.ms',
    ), 'replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to prevent frequent changes in ISR');
  const acks = config.number('offsets.commit.required.acks');
  require(acks >= -1 &&
    acks <=
      config.number(
        'offsets.topic.replication.factor',
      ), 'offsets.commit.required.acks must be greater or equal -1 and less or equal to offsets.topic.replication.factor');
  const compression = config.string('compression.type');
  require(compressions.includes(
    compression,
  ), `compression.type : ${compression} is not valid. Valid options are ${compressions.join(',')}`);
  require(config.number('request.timeout.ms') > 0, 'request.timeout.ms must be greater than 0');
  checkPerIpOverrides(config.string('max.connections.per.ip.overrides'));
}

/** `host:count` pairs; a count that is no number is worded as Java's. */
function checkPerIpOverrides(text: string): void {
  for (const entry of text.split(',').map((item) => item.trim())) {
    if (entry === '') continue;
    const count = entry.slice(entry.lastIndexOf(':') + 1).trim();
    if (!/^[+-]?\d+$/.test(count)) throw new ConfigException(`For input string: "${count}"`);
  }
}
