import { readFileSync } from 'node:fs';
import type { ClientOptions } from '@klassic/client';
import { UsageError } from './tool.ts';

/** Settings of a client by Kafka's names, as in a properties file. */
export type ClientSettings = ReadonlyMap<string, string>;

/**
 * Reads a Java properties file (without its escapes).
 *
 * @throws UsageError when it cannot be read
 */
export function readProperties(path: string): Map<string, string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
  const settings = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([^#!=:\s][^=:\s]*)\s*[=:]?\s*(.*)$/.exec(line);
    if (match !== null) settings.set(match[1]!, match[2]!.trim());
  }
  return settings;
}

const numeric = new Set([
  'acks',
  'auto.commit.interval.ms',
  'batch.size',
  'buffer.memory',
  'default.api.timeout.ms',
  'delivery.timeout.ms',
  'fetch.max.bytes',
  'fetch.max.wait.ms',
  'fetch.min.bytes',
  'heartbeat.interval.ms',
  'linger.ms',
  'max.block.ms',
  'max.in.flight.requests.per.connection',
  'max.partition.fetch.bytes',
  'max.poll.interval.ms',
  'max.poll.records',
  'max.request.size',
  'metadata.max.age.ms',
  'reconnect.backoff.max.ms',
  'reconnect.backoff.ms',
  'request.timeout.ms',
  'retries',
  'retry.backoff.ms',
  'session.timeout.ms',
  'socket.connection.setup.timeout.ms',
]);
const flags = new Set(['allow.auto.create.topics', 'enable.auto.commit', 'enable.idempotence']);
const texts = new Set([
  'auto.offset.reset',
  'client.id',
  'client.rack',
  'compression.type',
  'group.id',
  'group.instance.id',
  'isolation.level',
]);

/**
 * Turns settings into the options of @klassic/client: `request.timeout.ms` is `requestTimeoutMs`, `klassic.codec` is
 * `codec`. Settings that client does not have (serializers, security) are left out.
 *
 * @throws UsageError for a value that is no number or no boolean where one is due
 */
export function clientOptions(
  bootstrapServers: string,
  settings: ClientSettings,
): ClientOptions & Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [name, value] of settings) {
    if (name === 'klassic.codec') options['codec'] = value;
    else if (texts.has(name) || (name === 'acks' && value === 'all')) options[camelCase(name)] = value;
    else if (numeric.has(name)) options[camelCase(name)] = readNumber(name, value);
    else if (flags.has(name)) options[camelCase(name)] = readFlag(name, value);
  }
  return { ...options, bootstrapServers };
}

function camelCase(name: string): string {
  return name.replace(/\.([a-z])/g, (_dot, letter: string) => letter.toUpperCase());
}

function readNumber(name: string, value: string): number {
  if (/^-?\d+$/.test(value)) return Number(value);
  throw new UsageError(`Invalid value ${value} for configuration ${name}: Not a number of type INT`);
}

function readFlag(name: string, value: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  throw new UsageError(`Invalid value ${value} for configuration ${name}: Expected value to be either true or false`);
}
