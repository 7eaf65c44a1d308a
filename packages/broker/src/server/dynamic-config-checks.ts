import { hashMapOrder } from '@klassic/common';
import { configDefinitions } from './config-definitions.ts';
import { ConfigException, parseConfigValue } from './config-value.ts';
import {
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

/** A listener's setting is read as the one that it overrides; where both are given, the later in hash order counts. */
function validateTypes(props: Props): void {
  const base = new Map<string, string>();
  for (const name of hashMapOrder(Object.keys(props))) base.set(listenerBaseName(name) ?? name, props[name]!);
  for (const definitions of [configDefinitions, dynamicOnlyDefinitions]) {
    for (const [name, definition] of Object.entries(definitions)) {
      const isDynamic = definitions === dynamicOnlyDefinitions || isDynamicConfig(name);
      const value = base.get(name);
      if (isDynamic && value !== undefined) parseConfigValue(name, definition, value);
    }
  }
}
