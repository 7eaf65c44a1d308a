import { hashMapOrder } from '@klassic/common';
import type { LogReconfiguration } from '@klassic/log';
import { topicConfigBrokerNames } from '@klassic/log';
import { ConfigException, parseConfigValue } from './config-value.ts';
import { configDefinitions } from './config-definitions.ts';
import { listenerBaseName } from './dynamic-config-definitions.ts';
import type { BrokerReconfigurable } from './dynamic-broker-config.ts';
import type { KafkaConfig } from './kafka-config.ts';

const jmxReporter = 'org.apache.kafka.common.metrics.JmxReporter';

/** `metric.reporters`: no reporter but the built-in one can be loaded here (`DynamicMetricsReporters`). */
export const dynamicMetricsReporters: BrokerReconfigurable = {
  reconfigurableConfigs: new Set(['metric.reporters']),
  validateReconfiguration(next, changed) {
    const reporters = next.list('metric.reporters');
    if (reporters.every((reporter) => reporter === '' || reporter === jmxReporter)) return;
    throw new ConfigException(
      `Validation of dynamic config update of Set(${hashMapOrder(changed).join(', ')}) ` +
        'failed with class class kafka.server.DynamicMetricsReporters',
    );
  },
  reconfigure() {
    // The built-in one is always there.
  },
};

const threadPools = [
  'num.io.threads',
  'num.network.threads',
  'num.replica.fetchers',
  'num.recovery.threads.per.data.dir',
  'background.threads',
];

/**
 * Sizes of thread pools: a change to less than half or more than double is refused (`DynamicThreadPool`).
 *
 * @param onFetchers told of a new `num.replica.fetchers`; the other pools are one thread here, whatever they are set to
 */
export function dynamicThreadPool(current: KafkaConfig, onFetchers: (count: number) => void): BrokerReconfigurable {
  return {
    reconfigurableConfigs: new Set(threadPools),
    validateReconfiguration(next) {
      for (const name of threadPools) {
        const [before, after] = [current.number(name), next.number(name)];
        if (before === after) continue;
        const failed = `Dynamic thread count update validation failed for ${name}=${after}, value should`;
        if (after <= 0) throw new ConfigException(`${failed} be at least 1`);
        if (after < Math.trunc(before / 2)) {
          throw new ConfigException(`${failed} be at least half the current value ${before}`);
        }
        if (after > before * 2) {
          throw new ConfigException(`${failed} not be greater than double the current value ${before}`);
        }
      }
    },
    reconfigure(previous, next) {
      const name = 'num.replica.fetchers';
      if (previous.number(name) !== next.number(name)) onFetchers(next.number(name));
    },
  };
}

/** The log cleaner's settings. `reconfigure` of a cleaner that runs takes them over. */
export function dynamicLogCleaner(current: KafkaConfig, onChange: (next: KafkaConfig) => void): BrokerReconfigurable {
  const threads = 'log.cleaner.threads';
  return {
    reconfigurableConfigs: new Set([
      threads,
      'log.cleaner.dedupe.buffer.size',
      'log.cleaner.io.buffer.load.factor',
      'log.cleaner.io.buffer.size',
      'message.max.bytes',
      'log.cleaner.io.max.bytes.per.second',
      'log.cleaner.backoff.ms',
    ]),
    validateReconfiguration(next) {
      const [before, after] = [current.number(threads), next.number(threads)];
      if (after < Math.trunc(before / 2)) {
        throw new ConfigException(
          `Log cleaner threads cannot be reduced to less than half the current value ${before}`,
        );
      }
      if (after > before * 2) {
        throw new ConfigException(
          `Log cleaner threads cannot be increased to more than double the current value ${before}`,
        );
      }
    },
    reconfigure: (_previous, next) => onChange(next),
  };
}

/** The defaults of topics' settings (`DynamicLogConfig`). */
export function dynamicLogConfig(
  logs: Pick<LogReconfiguration, 'reconfigureDefaultLogConfig'>,
  enableUncleanLeaderElection: () => void,
): BrokerReconfigurable {
  const unclean = 'unclean.leader.election.enable';
  return {
    reconfigurableConfigs: new Set(topicConfigBrokerNames),
    validateReconfiguration() {
      // Names and values have been checked, and nothing else is: as with a topic's own settings.
    },
    reconfigure(previous, next) {
      logs.reconfigureDefaultLogConfig(next.texts);
      if (next.boolean(unclean) && !previous.boolean(unclean)) enableUncleanLeaderElection();
    },
  };
}

/** Where clients reach this broker (`DynamicListenerConfig`). Listeners cannot be opened or closed while it runs. */
export function dynamicListenerConfig(current: KafkaConfig, updateBrokerInfo: () => void): BrokerReconfigurable {
  const names = (config: KafkaConfig): string => config.listeners.map(({ listenerName }) => listenerName).join(',');
  return {
    reconfigurableConfigs: new Set(['advertised.listeners', 'listeners', 'listener.security.protocol.map']),
    validateReconfiguration(next) {
      if (names(next) !== names(current)) {
        throw new ConfigException(
          `Listeners ${names(current)} cannot be changed to ${names(next)} while the broker runs: restart it`,
        );
      }
      const inter = next.interBrokerListenerName;
      if (!next.advertisedListeners.some(({ listenerName }) => listenerName === inter)) {
        throw new ConfigException(
          `Advertised listener must be specified for inter-broker listener ListenerName(${inter})`,
        );
      }
    },
    reconfigure(previous, next) {
      const text = ({ advertisedListeners }: KafkaConfig): string => JSON.stringify(advertisedListeners);
      if (text(previous) !== text(next)) updateBrokerInfo();
    },
  };
}

/** Limits of connections, for all listeners and for each (`listener.name.<listener>.max.connections`, KIP-402). */
export function dynamicConnectionLimits(onChange: (next: KafkaConfig) => void): BrokerReconfigurable {
  const limits = ['max.connections', 'max.connection.creation.rate'];
  return {
    reconfigurableConfigs: {
      has: (name) => limits.includes(listenerBaseName(name) ?? name) || name.startsWith('max.connections.per.ip'),
    },
    validateReconfiguration(next) {
      for (const { listenerName } of next.listeners) {
        for (const limit of limits) {
          const own = next.originals[`listener.name.${listenerName.toLowerCase()}.${limit}`];
          if (own !== undefined) parseConfigValue(limit, configDefinitions[limit]!, own);
          const value = own === undefined ? next.number(limit) : Number(own);
          if (limit === 'max.connections' && value <= 0) throw new ConfigException(`Invalid ${limit} ${value}`);
        }
      }
    },
    reconfigure: (_previous, next) => onChange(next),
  };
}
