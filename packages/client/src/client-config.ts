import { silentLoggers, SystemRandom, SystemTime } from '@klassic/common';
import type { LoggerFactory, Random, Time } from '@klassic/common';
import type { Codec } from '@klassic/protocol';

/**
 * What every client takes. An option is Kafka's setting of the same name in camel case: `requestTimeoutMs` is
 * `request.timeout.ms`. Defaults are Kafka 2.8's.
 */
export interface ClientOptions {
  /** `bootstrap.servers`: `host:port`, several as a list or with commas between. */
  readonly bootstrapServers: string | readonly string[];
  readonly clientId?: string;
  /** Klassic's own: `msgpack` works with Klassic's brokers only. Default `kafka`. */
  readonly codec?: Codec;
  /** How long to wait for one answer, in milliseconds (30000). */
  readonly requestTimeoutMs?: number;
  /** How long a call may take with all its retries, in milliseconds (60000). */
  readonly defaultApiTimeoutMs?: number;
  /** Pause before a retry, in milliseconds (100). */
  readonly retryBackoffMs?: number;
  /** Pause before the second attempt to reach a broker, in milliseconds (50); it doubles with each failure ... */
  readonly reconnectBackoffMs?: number;
  /** ... up to this (1000). */
  readonly reconnectBackoffMaxMs?: number;
  /** How long to wait for a connection, in milliseconds (10000). */
  readonly socketConnectionSetupTimeoutMs?: number;
  /** Metadata are asked for anew after this many milliseconds (300000). */
  readonly metadataMaxAgeMs?: number;
  readonly time?: Time;
  readonly random?: Random;
  readonly loggers?: LoggerFactory;
}

/** A host and port to begin with. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** The same with everything filled in. */
export interface ClientConfig extends Required<Omit<ClientOptions, 'bootstrapServers'>> {
  readonly bootstrap: readonly Address[];
}

/** A setting of a client that cannot be: one clear line that names it. Counterpart of Kafka's `ConfigException`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Fills in defaults.
 *
 * @throws ConfigError when the bootstrap servers are not of the form `host:port`
 */
export function clientConfig(options: ClientOptions, defaultClientId: string): ClientConfig {
  return {
    bootstrap: parseBootstrapServers(options.bootstrapServers),
    clientId: options.clientId ?? defaultClientId,
    codec: options.codec ?? 'kafka',
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    defaultApiTimeoutMs: options.defaultApiTimeoutMs ?? 60_000,
    retryBackoffMs: options.retryBackoffMs ?? 100,
    reconnectBackoffMs: options.reconnectBackoffMs ?? 50,
    reconnectBackoffMaxMs: options.reconnectBackoffMaxMs ?? 1_000,
    socketConnectionSetupTimeoutMs: options.socketConnectionSetupTimeoutMs ?? 10_000,
    metadataMaxAgeMs: options.metadataMaxAgeMs ?? 300_000,
    time: options.time ?? new SystemTime(),
    random: options.random ?? new SystemRandom(),
    loggers: options.loggers ?? silentLoggers,
  };
}

/**
 * Reads `host:port,[::1]:port,…`.
 *
 * @throws ConfigError when an entry is not of that form, or there is none
 */
export function parseBootstrapServers(servers: string | readonly string[]): Address[] {
  const list = typeof servers === 'string' ? servers.split(',') : servers;
  const addresses = list
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) => {
      const match = /^(?:\[(?<v6>[0-9a-fA-F:.%]+)\]|(?<name>[^:[\]\s]+)):(?<port>\d{1,5})$/.exec(entry);
      const port = Number(match?.groups?.['port']);
      const host = match?.groups?.['v6'] ?? match?.groups?.['name'];
      if (host === undefined || port < 1 || port > 65535) {
        throw new ConfigError(`Invalid url in bootstrap.servers: ${entry}`);
      }
      return { host, port };
    });
  if (addresses.length === 0) throw new ConfigError('No resolvable bootstrap urls given in bootstrap.servers');
  return addresses;
}
