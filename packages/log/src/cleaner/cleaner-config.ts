import { double, int, long, boolean } from '../config-types.ts';

/** Settings of the cleaner, from the broker's. Counterpart of `kafka.log.CleanerConfig`. */
export interface CleanerConfig {
  /** `log.cleaner.enable` */
  readonly enabled: boolean;
  /** `log.cleaner.threads`: logs that are cleaned at a time. */
  readonly threads: number;
  /** `log.cleaner.dedupe.buffer.size`, bytes for the offset maps of all threads. */
  readonly dedupeBufferBytes: number;
  /** `log.cleaner.io.buffer.load.factor`, 0 to 1. */
  readonly loadFactor: number;
  /** `log.cleaner.io.buffer.size`, bytes of all threads. */
  readonly ioBufferBytes: number;
  /** `log.cleaner.io.max.bytes.per.second` */
  readonly maxIoBytesPerSecond: number;
  /** `log.cleaner.backoff.ms`: pause when there is nothing to clean. */
  readonly backoffMs: number;
}

/**
 * @param broker broker settings by name; those that are absent have Kafka's defaults
 * @throws InvalidConfigError
 */
export function cleanerConfigFromProps(broker: Readonly<Record<string, string>>): CleanerConfig {
  const read = <T>(name: string, parse: (name: string, text: string) => T, defaultText: string): T =>
    parse(name, broker[name] ?? defaultText);
  return {
    enabled: read('log.cleaner.enable', boolean, 'true'),
    threads: read('log.cleaner.threads', int(0), '1'),
    dedupeBufferBytes: read('log.cleaner.dedupe.buffer.size', long(), '134217728'),
    loadFactor: read('log.cleaner.io.buffer.load.factor', double(0, 1), '0.9'),
    ioBufferBytes: read('log.cleaner.io.buffer.size', int(0), '524288'),
    maxIoBytesPerSecond: read('log.cleaner.io.max.bytes.per.second', double(0, Infinity), String(Number.MAX_VALUE)),
    backoffMs: read('log.cleaner.backoff.ms', long(0), '15000'),
  };
}
