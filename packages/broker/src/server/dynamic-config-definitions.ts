import { configDefinitions } from './config-definitions.ts';
import type { ConfigDefinition } from './config-definitions.ts';
import { klassicDefinitions } from './klassic-definitions.ts';

const noLimit = '9223372036854775807';

/** Settings of brokers that stand in ZooKeeper only (`DynamicConfig.Broker`), in bytes per second. */
export const dynamicOnlyDefinitions: Readonly<Record<string, ConfigDefinition>> = {
  'follower.replication.throttled.rate': { type: 'long', default: noLimit, atLeast: 0, updateMode: 'per-broker' },
  'leader.replication.throttled.rate': { type: 'long', default: noLimit, atLeast: 0, updateMode: 'per-broker' },
  'replica.alter.log.dirs.io.max.bytes.per.second': {
    type: 'long',
    default: noLimit,
    atLeast: 0,
    updateMode: 'per-broker',
  },
};

/** Settings of one listener: `listener.name.<listener>.<setting>`, with a mechanism before some. */
const listenerSetting = /^listener\.name\.[^.]*\.(.*)$/;

/** Those that stand behind a SASL mechanism too: `listener.name.<listener>.<mechanism>.<setting>`. */
const mechanismSettings = [
  'sasl.jaas.config',
  'sasl.login.callback.handler.class',
  'sasl.login.class',
  'sasl.server.callback.handler.class',
  'connections.max.reauth.ms',
];

/** Settings that may be given per listener only: keys and certificates. */
export const dynamicSecurityConfigs: ReadonlySet<string> = new Set([
  'ssl.key.password',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.keystore.location',
  'ssl.keystore.password',
  'ssl.keystore.type',
  'ssl.truststore.certificates',
  'ssl.truststore.location',
  'ssl.truststore.password',
  'ssl.truststore.type',
]);

/** Settings of a listener that are one for all brokers, too. */
const clusterLevelListenerConfigs: ReadonlySet<string> = new Set(['max.connections', 'max.connection.creation.rate']);

const roll = ['log.roll.ms', 'log.roll.hours'];
const jitter = ['log.roll.jitter.ms', 'log.roll.jitter.hours'];
const retention = ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'];

const synonyms: Readonly<Record<string, readonly string[]>> = {
  'log.roll.ms': roll,
  'log.roll.hours': roll,
  'log.roll.jitter.ms': jitter,
  'log.roll.jitter.hours': jitter,
  'log.flush.interval.ms': ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'],
  'log.retention.ms': retention,
  'log.retention.minutes': retention,
  'log.retention.hours': retention,
};

/** The setting that a listener's one overrides; undefined for the name of any other setting. */
export function listenerBaseName(name: string): string | undefined {
  return listenerSetting.exec(name)?.[1];
}

/** Settings that say the same, the weightiest first (`DynamicBrokerConfig.brokerConfigSynonyms`). */
export function brokerConfigSynonyms(name: string, matchListenerOverride: boolean): readonly string[] {
  const known = Object.hasOwn(synonyms, name) ? synonyms[name] : undefined;
  if (known !== undefined) return known;
  const base = matchListenerOverride ? listenerBaseName(name) : undefined;
  if (base === undefined) return [name];
  return [name, mechanismSettings.find((setting) => base.endsWith(setting)) ?? base];
}

/** What is known of a setting of a broker, of Klassic's own or of one listener. */
export function definitionOf(name: string): ConfigDefinition | undefined {
  for (const synonym of [name, ...brokerConfigSynonyms(name, true)]) {
    for (const definitions of [configDefinitions, klassicDefinitions, dynamicOnlyDefinitions]) {
      if (Object.hasOwn(definitions, synonym)) return definitions[synonym];
    }
  }
  return undefined;
}

/** Whether a running broker takes a new value by this very name (`DynamicBrokerConfig.AllDynamicConfigs`). */
export function isDynamicConfig(name: string): boolean {
  return Object.hasOwn(configDefinitions, name) && configDefinitions[name]!.updateMode !== 'read-only';
}

/** Whether a running broker cannot take it (`DynamicConfig.Broker.nonDynamicProps`). Names nobody knows are no concern. */
export function isNonDynamicConfig(name: string): boolean {
  return Object.hasOwn(configDefinitions, name) && configDefinitions[name]!.updateMode === 'read-only';
}

/** Whether it can be set for one broker only, not for all. */
export function isPerBrokerConfig(name: string): boolean {
  const base = listenerBaseName(name);
  if (base !== undefined) return !clusterLevelListenerConfigs.has(base);
  return Object.hasOwn(configDefinitions, name) && configDefinitions[name]!.updateMode === 'per-broker';
}

/** Whether it holds a password, which is encrypted in ZooKeeper. */
export function isPasswordConfig(name: string): boolean {
  return dynamicPasswords.some((password) => name.endsWith(password));
}

const dynamicPasswords = Object.keys(configDefinitions).filter(
  (name) => configDefinitions[name]!.type === 'password' && isDynamicConfig(name),
);
