import { hashMapOrder } from '@klassic/common';
import { configDefinitions } from './config-definitions.ts';
import { ConfigException, parseConfigValue } from './config-value.ts';
import {
  definitionOf,
  dynamicOnlyDefinitions,
  dynamicSecurityConfigs,
  isDynamicConfig,
  isNonDynamicConfig,
  isPerBrokerConfig,
  listenerBaseName,
} from './dynamic-config-definitions.ts';

type Props = Readonly<Record<string, string>>;

/**
 * Checks names and values of dynamic settings each by itself, as the original does before it looks at them together
 * (`DynamicBrokerConfig.validateConfigs`). Names nobody knows are allowed: they may be a plug-in's.
 *
 * @param perBrokerConfig whether they are meant for one broker, not for all
 * @throws ConfigException
 */
export function validateDynamicConfigs(props: Props, perBrokerConfig: boolean): void {
  const names = Object.keys(props);
  const refuse = (isInvalid: (name: string) => boolean, message: string, kind = 'Set'): void => {
    const invalid = names.filter(isInvalid);
    // Scala names a set after its class from five elements on.
    const type = invalid.length > 4 ? 'HashSet' : kind;
    if (invalid.length > 0) throw new ConfigException(`${message}: ${type}(${hashMapOrder(invalid).join(', ')})`);
  };
  refuse(isNonDynamicConfig, 'Cannot update these configs dynamically');
  refuse(
    (name) => dynamicSecurityConfigs.has(name),
    'These security configs can be dynamically updated only per-listener using the listener prefix',
    'HashSet',
  );
  validateTypes(props);
  if (perBrokerConfig) return;
  refuse(isPerBrokerConfig, 'Cannot update these configs at default cluster level, broker id must be specified');
}

/** Dynamic settings that are defined before the others, in the original's order: of several faults the first is told. */
const definedFirst = [
  'message.max.bytes',
  'num.network.threads',
  'num.io.threads',
  'background.threads',
  'listeners',
  'advertised.listeners',
  'listener.security.protocol.map',
  'max.connections.per.ip',
  'max.connections.per.ip.overrides',
  'max.connections',
  'max.connection.creation.rate',
  'log.segment.bytes',
  'log.roll.ms',
  'log.roll.jitter.ms',
  'log.retention.ms',
  'log.retention.bytes',
  'log.cleanup.policy',
  'log.cleaner.threads',
  'log.cleaner.io.max.bytes.per.second',
  'log.cleaner.dedupe.buffer.size',
  'log.cleaner.io.buffer.size',
  'log.cleaner.io.buffer.load.factor',
  'log.cleaner.backoff.ms',
  'log.cleaner.min.cleanable.ratio',
  'log.cleaner.delete.retention.ms',
  'log.cleaner.min.compaction.lag.ms',
  'log.cleaner.max.compaction.lag.ms',
  'log.index.size.max.bytes',
  'log.index.interval.bytes',
  'log.flush.interval.messages',
  'log.segment.delete.delay.ms',
  'log.flush.interval.ms',
  'log.preallocate',
  'num.recovery.threads.per.data.dir',
  'min.insync.replicas',
  'log.message.timestamp.type',
  'log.message.timestamp.difference.max.ms',
  'log.message.downconversion.enable',
  'num.replica.fetchers',
  'unclean.leader.election.enable',
  'compression.type',
  'metric.reporters',
];

/** A listener's setting is read as the one that it overrides; where both are given, the later in hash order counts. */
function validateTypes(props: Props): void {
  const base = new Map<string, string>();
  for (const name of hashMapOrder(Object.keys(props))) base.set(listenerBaseName(name) ?? name, props[name]!);
  const names = Object.keys(configDefinitions).filter(isDynamicConfig);
  for (const name of new Set([...Object.keys(dynamicOnlyDefinitions), ...definedFirst, ...names])) {
    const value = base.get(name);
    if (value !== undefined) parseConfigValue(name, definitionOf(name)!, value);
  }
}
