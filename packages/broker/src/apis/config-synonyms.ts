import { configDefinitions } from '../server/config-definitions.ts';
import { brokerConfigSynonyms, definitionOf } from '../server/dynamic-config-definitions.ts';
import type { DynamicBrokerConfig } from '../server/dynamic-broker-config.ts';
import { klassicDefinitions } from '../server/klassic-definitions.ts';
import { configSource } from './config-codes.ts';

/** What is set where, in the file and in ZooKeeper. */
export type DynamicConfigs = Pick<
  DynamicBrokerConfig,
  'currentDynamicBrokerConfigs' | 'currentDynamicDefaultConfigs' | 'staticBrokerConfigs'
>;

/** A place that gives a setting a value. */
export interface ConfigSynonym {
  readonly name: string;
  /** Null for a password. */
  readonly value: string | null;
  /** One of `configSource`. */
  readonly source: number;
}

/**
 * Everything that gives a broker setting a value, the weightiest first: set for this broker, for all brokers, in the
 * file, by default; under its own name, or under one that says the same (`ConfigHelper.configSynonyms`).
 */
export function configSynonyms(name: string, dynamicConfig: DynamicConfigs): ConfigSynonym[] {
  const names = brokerConfigSynonyms(name, true);
  const isSensitive = isSensitiveConfig(name);
  const found: ConfigSynonym[] = [];
  const look = (valueOf: (synonym: string) => string | null | undefined, source: number): void => {
    for (const synonym of names) {
      const value = valueOf(synonym);
      if (value !== null && value !== undefined) {
        found.push({ name: synonym, value: isSensitive ? null : value, source });
      }
    }
  };
  look((synonym) => dynamicConfig.currentDynamicBrokerConfigs[synonym], configSource.dynamicBroker);
  look((synonym) => dynamicConfig.currentDynamicDefaultConfigs[synonym], configSource.dynamicDefaultBroker);
  look((synonym) => dynamicConfig.staticBrokerConfigs[synonym], configSource.staticBroker);
  look((synonym) => defaultOf(synonym), configSource.default);
  // What only a synonym says does not come first.
  const first = found.findIndex((synonym) => synonym.name === name);
  return first < 0 ? [] : found.slice(first);
}

/** Whether a value is not to be shown: passwords, and what nobody knows. */
export function isSensitiveConfig(name: string): boolean {
  const type = definitionOf(name)?.type;
  return type === undefined || type === 'password';
}

function defaultOf(name: string): string | null {
  for (const definitions of [configDefinitions, klassicDefinitions]) {
    if (Object.hasOwn(definitions, name)) return definitions[name]!.default;
  }
  return null;
}
