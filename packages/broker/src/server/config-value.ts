import type { ConfigDefinition, ConfigType } from './config-definitions.ts';
import { printedConfig } from './config-text.ts';

/** A setting with a value that cannot be: one line that names the key (`org.apache.kafka.common.config.ConfigException`). */
export class ConfigException extends Error {
  override readonly name = 'ConfigException';
}

/** Settings that do not go together or are out of a range that depends on others: what the original's `require` finds. */
export class RequirementFailed extends ConfigException {}

/** A setting's value once read; int64 beyond 2^53 (Kafka's "never") become the nearest number. */
export type ConfigValue = boolean | number | string | readonly string[] | null;

/** Names of classes that the original brings along; nobody else's can be loaded here. */
const servedClass = /^(?:kafka|org\.apache\.kafka)\./;

const ranges: Partial<Record<ConfigType, readonly [bigint, bigint]>> = {
  short: [-(2n ** 15n), 2n ** 15n - 1n],
  int: [-(2n ** 31n), 2n ** 31n - 1n],
  long: [-(2n ** 63n), 2n ** 63n - 1n],
};

/**
 * Reads the text of a setting as its definition says.
 *
 * @throws ConfigException when it is not of the type, or not an allowed value
 */
export function parseConfigValue(name: string, definition: ConfigDefinition, text: string | null): ConfigValue {
  if (text === null) return null;
  const value = parseType(name, definition.type, text.trim());
  check(name, definition, value, text.trim());
  return value;
}

function parseType(name: string, type: ConfigType, text: string): ConfigValue {
  switch (type) {
    case 'boolean':
      if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
      throw new ConfigException(
        `Invalid value ${text} for configuration ${name}: Expected value to be either true or false`,
      );
    case 'short':
    case 'int':
    case 'long':
      return parseInteger(name, type, text);
    case 'double': {
      const value = Number(text);
      if (text !== '' && !Number.isNaN(value)) return value;
      throw new ConfigException(`Invalid value ${text} for configuration ${name}: Not a number of type DOUBLE`);
    }
    case 'list':
      return text === '' ? [] : text.split(',').map((item) => item.trim());
    case 'class':
      if (text === '' || servedClass.test(text)) return text;
      throw new ConfigException(`Invalid value ${text} for configuration ${name}: Class ${text} could not be found.`);
    case 'string':
    case 'password':
      return text;
  }
}

function parseInteger(name: string, type: ConfigType, text: string): number {
  const [least, most] = ranges[type]!;
  if (/^[+-]?\d+$/.test(text)) {
    const value = BigInt(text);
    if (value >= least && value <= most) return Number(value);
  }
  throw new ConfigException(
    `Invalid value ${text} for configuration ${name}: Not a number of type ${type.toUpperCase()}`,
  );
}

function check(name: string, definition: ConfigDefinition, value: ConfigValue, text: string): void {
  const { type, atLeast, oneOf } = definition;
  if (atLeast !== undefined && typeof value === 'number' && value < atLeast) {
    throw new ConfigException(
      `Invalid value ${printedConfig(type, text)} for configuration ${name}: Value must be at least ${atLeast}`,
    );
  }
  if (oneOf === undefined || value === null) return;
  for (const item of Array.isArray(value) ? (value as readonly string[]) : [String(value)]) {
    if (!oneOf.includes(item)) {
      throw new ConfigException(
        `Invalid value ${item} for configuration ${name}: String must be one of: ${oneOf.join(', ')}`,
      );
    }
  }
}
