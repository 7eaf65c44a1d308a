import { javaDoubleText } from '@klassic/common';

/** A topic setting that is unknown, not of its type, or outside its valid values; `message` is worded as Kafka's. */
export class InvalidConfigError extends Error {
  override readonly name = 'InvalidConfigError';
}

/** Names that no topic has, or settings that contradict each other: worse than a bad value, as Kafka's answers have it. */
export class InvalidConfigurationError extends InvalidConfigError {}

/** Reads the text of a setting. @throws InvalidConfigError */
export type ConfigParser<T> = (name: string, text: string) => T;

const MAX_LONG = 2n ** 63n - 1n;
const MIN_LONG = -(2n ** 63n);
const MAX_INT = 2n ** 31n - 1n;
const MIN_INT = -(2n ** 31n);

function invalid(name: string, value: string, reason: string): InvalidConfigError {
  return new InvalidConfigError(`Invalid value ${value} for configuration ${name}: ${reason}`);
}

function integer(type: 'INT' | 'LONG', atLeast: number | undefined): ConfigParser<number> {
  const [min, max] = type === 'INT' ? [MIN_INT, MAX_INT] : [MIN_LONG, MAX_LONG];
  return (name, text) => {
    const trimmed = text.trim();
    const value = /^[+-]?\d+$/.test(trimmed) ? BigInt(trimmed.replace('+', '')) : undefined;
    if (value === undefined || value < min || value > max) throw invalid(name, text, `Not a number of type ${type}`);
    if (atLeast !== undefined && value < atLeast)
      throw invalid(name, String(value), `Value must be at least ${atLeast}`);
    // The greatest long means "never" or "no limit" wherever Kafka has it.
    return value === MAX_LONG ? Infinity : Number(value);
  };
}

/** A 32-bit number. */
export function int(atLeast?: number): ConfigParser<number> {
  return integer('INT', atLeast);
}

/** A 64-bit number; 2^63-1 becomes Infinity. */
export function long(atLeast?: number): ConfigParser<number> {
  return integer('LONG', atLeast);
}

/** A number with a fraction, within bounds. */
export function double(atLeast: number, atMost: number): ConfigParser<number> {
  return (name, text) => {
    const value = text.trim() === '' ? NaN : Number(text);
    if (Number.isNaN(value)) throw invalid(name, text, 'Not a number of type DOUBLE');
    if (value < atLeast) throw invalid(name, javaDoubleText(value), `Value must be at least ${atLeast}`);
    if (value > atMost) throw invalid(name, javaDoubleText(value), `Value must be no more than ${atMost}`);
    return value;
  };
}

export const boolean: ConfigParser<boolean> = (name, text) => {
  const lower = text.trim().toLowerCase();
  if (lower !== 'true' && lower !== 'false') throw invalid(name, text, 'Expected value to be either true or false');
  return lower === 'true';
};

/** One of a few words. */
export function oneOf<T extends string>(...words: readonly T[]): ConfigParser<T> {
  return (name, text) => {
    const found = words.find((word) => word === text.trim());
    if (found === undefined) throw invalid(name, text.trim(), `String must be one of: ${words.join(', ')}`);
    return found;
  };
}

/** Words with commas between. */
export function listOf<T extends string>(...words: readonly T[]): ConfigParser<readonly T[]> {
  const word = oneOf(...words);
  return (name, text) => split(text).map((item) => word(name, item));
}

/** `*`, or pairs of partition and broker: `0:1,1:2`. */
export const throttledReplicas: ConfigParser<readonly string[]> = (name, text) => {
  const replicas = split(text);
  if (replicas[0] !== '*' && !replicas.every((replica) => /^\d+:\d+$/.test(replica))) {
    throw invalid(
      name,
      `[${replicas.join(', ')}]`,
      `${name} must be the literal '*' or a list of replicas in the following format: ` +
        `[partitionId]:[brokerId],[partitionId]:[brokerId],...`,
    );
  }
  return replicas;
};

/** A release whose message format a topic keeps, such as `2.6` or `0.10.0-IV1`. */
export const messageFormat: ConfigParser<string> = (name, text) => {
  const version = text.trim();
  const known = /^(?:0\.(?:8\.[012]|9\.0|10\.[012]|11\.0)|1\.[01]|2\.[0-8])(?:-IV\d+|\.\d+)*$/.test(version);
  if (!known) throw invalid(name, text, `Version \`${text}\` is not a valid version`);
  return version;
};

function split(text: string): string[] {
  const trimmed = text.trim();
  return trimmed === '' ? [] : trimmed.split(/\s*,\s*/);
}
