import type { CompressionType } from '@klassic/protocol';
import { clientConfig, ConfigError } from '../client-config.ts';
import type { ClientConfig, ClientOptions } from '../client-config.ts';
import { DefaultPartitioner } from './default-partitioner.ts';
import type { Partitioner } from './default-partitioner.ts';

/** Kafka's producer settings in camel case; in brackets the default. */
export interface ProducerOptions extends ClientOptions {
  /** 0, 1 or 'all', which is -1 (1; with idempotence 'all'). */
  readonly acks?: 0 | 1 | -1 | 'all';
  /** How long a batch waits for more records, in milliseconds (0). */
  readonly lingerMs?: number;
  /** Bytes from which a batch is full (16384). */
  readonly batchSize?: number;
  /** Bytes of records that may wait to be sent (33554432); then `send` waits, up to `maxBlockMs`. */
  readonly bufferMemory?: number;
  readonly compressionType?: CompressionType;
  /** Requests in flight to one broker (5). Of one partition more than one only with idempotence, so that order is kept. */
  readonly maxInFlightRequestsPerConnection?: number;
  /** (2147483647) */
  readonly retries?: number;
  /** How long a record may take in all, in milliseconds (120000). */
  readonly deliveryTimeoutMs?: number;
  /** How long `send` may wait for metadata and memory, in milliseconds (60000). */
  readonly maxBlockMs?: number;
  /** Largest request, and largest record, in bytes (1048576). */
  readonly maxRequestSize?: number;
  /** No duplicates from retries (KIP-98); needs acks 'all'. (false) */
  readonly enableIdempotence?: boolean;
  readonly partitioner?: Partitioner;
}

/** The same with everything filled in. */
export interface ProducerConfig
  extends ClientConfig, Required<Omit<ProducerOptions, keyof ClientOptions | 'acks' | 'partitioner'>> {
  readonly acks: 0 | 1 | -1;
  readonly partitioner: Partitioner;
}

/** @throws ConfigError naming the setting that cannot be */
export function producerConfig(options: ProducerOptions): ProducerConfig {
  const base = clientConfig(options, 'producer-1');
  const enableIdempotence = options.enableIdempotence ?? false;
  const acks = options.acks === 'all' ? -1 : (options.acks ?? (enableIdempotence ? -1 : 1));
  const maxInFlightRequestsPerConnection = options.maxInFlightRequestsPerConnection ?? 5;
  if (enableIdempotence && acks !== -1) {
    throw new ConfigError(
      'Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence.',
    );
  }
  if (maxInFlightRequestsPerConnection < 1 || (enableIdempotence && maxInFlightRequestsPerConnection > 5)) {
    throw new ConfigError('max.in.flight.requests.per.connection must be at least 1, and at most 5 with idempotence.');
  }
  return {
    ...base,
    acks,
    lingerMs: options.lingerMs ?? 0,
    batchSize: options.batchSize ?? 16_384,
    bufferMemory: options.bufferMemory ?? 32 * 1024 * 1024,
    compressionType: options.compressionType ?? 'none',
    maxInFlightRequestsPerConnection,
    retries: options.retries ?? 0x7fffffff,
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
    maxBlockMs: options.maxBlockMs ?? 60_000,
    maxRequestSize: options.maxRequestSize ?? 1024 * 1024,
    enableIdempotence,
    partitioner: options.partitioner ?? new DefaultPartitioner(base.random),
  };
}
