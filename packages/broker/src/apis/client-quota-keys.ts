import { Errors, KafkaError } from '@klassic/protocol';
import { javaDoubleText } from '@klassic/common';

/** What can be limited, by type of entity (`DynamicConfig.User`, `Client` and `Ip`). */
export const quotaKeys = {
  users: {
    'SCRAM-SHA-256': 'string',
    'SCRAM-SHA-512': 'string',
    consumer_byte_rate: 'long',
    controller_mutation_rate: 'double',
    producer_byte_rate: 'long',
    request_percentage: 'double',
  },
  clients: {
    consumer_byte_rate: 'long',
    controller_mutation_rate: 'double',
    producer_byte_rate: 'long',
    request_percentage: 'double',
  },
  ips: { connection_creation_rate: 'int' },
} as const;

export type QuotaEntityType = keyof typeof quotaKeys;

/** A value that differs from a whole number by less counts as one. */
const epsilon = 1e-6;

const greatest = { int: 2n ** 31n - 1n, long: 2n ** 63n - 1n } as const;

/** Whether the key is a limit; a user's entry in `/config` holds credentials as well. */
export function isQuotaKey(key: string): boolean {
  return Object.hasOwn(quotaKeys.clients, key) || Object.hasOwn(quotaKeys.ips, key);
}

/**
 * The text that stands in `/config` for a limit.
 *
 * @throws KafkaError INVALID_REQUEST for a key that the entity has not, or a fraction where a whole number is wanted
 */
export function quotaText(type: QuotaEntityType, key: string, value: number): string {
  const keys: Readonly<Record<string, 'string' | 'int' | 'long' | 'double'>> = quotaKeys[type];
  const kind = Object.hasOwn(keys, key) ? keys[key] : undefined;
  switch (kind) {
    case undefined:
      throw new KafkaError(Errors.INVALID_REQUEST, `Invalid configuration key ${key}`);
    case 'string':
      // The original has no answer for a credential among limits.
      throw new KafkaError(Errors.UNKNOWN_SERVER_ERROR, `Unexpected config type of ${key}`);
    case 'double':
      return javaDoubleText(value);
    case 'int':
    case 'long': {
      const whole = javaWhole(value + epsilon, greatest[kind]);
      if (Math.abs(Number(whole) - value) <= epsilon || Number.isNaN(value)) return whole.toString();
      throw new KafkaError(Errors.INVALID_REQUEST, `Configuration ${key} must be a ${kind.toUpperCase()} value`);
    }
  }
}

/** Java's cast of a double to a whole number: towards zero, and no further than the type goes. */
function javaWhole(value: number, most: bigint): bigint {
  if (Number.isNaN(value)) return 0n;
  if (value >= Number(most)) return most;
  if (value <= -Number(most) - 1) return -most - 1n;
  return BigInt(Math.trunc(value));
}
