import type { KafkaController } from '@klassic/controller';
import type { LogManager } from '@klassic/log';
import { desanitize } from '@klassic/zookeeper';
import type { ReplicationQuotas } from '../replica/index.ts';
import type { DynamicBrokerConfig } from './dynamic-broker-config.ts';
import type { DynamicConfigManagerOptions } from './dynamic-config-manager.ts';
import type { TopicConfigs } from './topic-configs.ts';

export interface ConfigHandlersOptions {
  readonly brokerId: number;
  readonly dynamicConfig: DynamicBrokerConfig;
  readonly topicConfigs: TopicConfigs;
  readonly logManager: LogManager;
  readonly controller: Pick<KafkaController, 'enableTopicUncleanLeaderElection'>;
  /** Limits of replication, which count for this broker alone. */
  readonly replicationQuotas: ReplicationQuotas;
}

/** What becomes of a change, by type of entity (`kafka.server.ConfigHandler` and its kinds). */
export function configHandlers(options: ConfigHandlersOptions): DynamicConfigManagerOptions['handlers'] {
  const { brokerId, dynamicConfig, topicConfigs, logManager, controller, replicationQuotas } = options;
  return {
    topics: {
      processConfigChanges(sanitizedTopic, config) {
        const topic = desanitize(sanitizedTopic);
        topicConfigs.update(topic, config, logManager);
        if (config['unclean.leader.election.enable'] === 'true') controller.enableTopicUncleanLeaderElection(topic);
      },
    },
    brokers: {
      processConfigChanges(entity, config) {
        if (entity === '<default>') dynamicConfig.updateDefaultConfig(config);
        else if (Number(entity) === brokerId) {
          dynamicConfig.updateBrokerConfig(brokerId, config);
          replicationQuotas.leader.updateQuota(rateOf(config['leader.replication.throttled.rate']));
          replicationQuotas.follower.updateQuota(rateOf(config['follower.replication.throttled.rate']));
          replicationQuotas.alterLogDirs.updateQuota(rateOf(config['replica.alter.log.dirs.io.max.bytes.per.second']));
        }
      },
    },
  };
}

/** Bytes per second; undefined without a limit. */
function rateOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
