import type { ControllerConfig } from '@klassic/controller';
import type { ConnectionLimits, SocketServerConfig } from '@klassic/network';
import type { TopicShape } from '../apis/auto-topic-creation.ts';
import type { GroupConfig } from '../group/index.ts';
import type { QuotaConfig } from '../quota/index.ts';
import { replicaSelectorClasses, replicaSelectorOf } from '../replica/index.ts';
import type { ReplicaManagerConfig, ReplicaSelector } from '../replica/index.ts';
import { ConfigException } from './config-value.ts';
import type { KafkaConfig } from './kafka-config.ts';

/** What the controller reads of the broker's settings. */
export function controllerConfig(config: KafkaConfig, brokerId: number): ControllerConfig {
  return {
    brokerId,
    interBrokerListenerName: config.interBrokerListenerName,
    deleteTopicEnable: config.boolean('delete.topic.enable'),
    autoLeaderRebalanceEnable: config.boolean('auto.leader.rebalance.enable'),
    leaderImbalancePerBrokerPercentage: config.number('leader.imbalance.per.broker.percentage'),
    leaderImbalanceCheckIntervalSeconds: config.number('leader.imbalance.check.interval.seconds'),
    get uncleanLeaderElectionEnable() {
      return config.boolean('unclean.leader.election.enable');
    },
  };
}

/** What replication reads of the broker's settings. */
export function replicaManagerConfig(config: KafkaConfig, brokerId: number): ReplicaManagerConfig {
  return {
    brokerId,
    replicaLagTimeMaxMs: config.number('replica.lag.time.max.ms'),
    replicaHighWatermarkCheckpointIntervalMs: config.number('replica.high.watermark.checkpoint.interval.ms'),
    numReplicaFetchers: config.number('num.replica.fetchers'),
    replicaFetchMinBytes: config.number('replica.fetch.min.bytes'),
    replicaFetchMaxBytes: config.number('replica.fetch.max.bytes'),
    replicaFetchResponseMaxBytes: config.number('replica.fetch.response.max.bytes'),
    replicaFetchWaitMaxMs: config.number('replica.fetch.wait.max.ms'),
    replicaFetchBackoffMs: config.number('replica.fetch.backoff.ms'),
    interBrokerListenerName: config.interBrokerListenerName,
    replicaSelector: replicaSelector(config),
    replicationQuota: {
      numQuotaSamples: config.number('replication.quota.window.num'),
      quotaWindowSizeSeconds: config.number('replication.quota.window.size.seconds'),
    },
    alterLogDirsQuota: {
      numQuotaSamples: config.number('alter.log.dirs.replication.quota.window.num'),
      quotaWindowSizeSeconds: config.number('alter.log.dirs.replication.quota.window.size.seconds'),
    },
  };
}

function replicaSelector(config: KafkaConfig): ReplicaSelector | undefined {
  const className = config.optionalString('replica.selector.class');
  if (className === null || className === '') return undefined;
  const selector = replicaSelectorOf(className);
  if (selector !== undefined) return selector;
  throw new ConfigException(
    `Invalid value ${className} for configuration replica.selector.class: must be one of ${replicaSelectorClasses.join(', ')}`,
  );
}

/** What the socket server reads of the broker's settings. */
export function socketServerConfig(config: KafkaConfig): SocketServerConfig {
  return {
    maxRequestBytes: config.number('socket.request.max.bytes'),
    connectionsMaxIdleMs: config.number('connections.max.idle.ms'),
    queuedMaxRequests: config.number('queued.max.requests'),
    quotaWindowNum: config.number('quota.window.num'),
    quotaWindowSizeSeconds: config.number('quota.window.size.seconds'),
    ...connectionLimits(config),
  };
}

/** The limits of connections, which may change while the broker runs: `SocketServer.reconfigure` takes them over. */
export function connectionLimits(config: KafkaConfig): ConnectionLimits {
  const { listeners, interBrokerListenerName } = config;
  return {
    maxConnections: config.number('max.connections'),
    maxConnectionsPerIp: config.number('max.connections.per.ip'),
    maxConnectionsPerIpOverrides: perIpOverrides(config.string('max.connections.per.ip.overrides')),
    maxConnectionCreationRate: config.number('max.connection.creation.rate'),
    maxListenerConnections: listenerOverrides(config, 'max.connections'),
    maxListenerCreationRate: listenerOverrides(config, 'max.connection.creation.rate'),
    protectedListener: listeners.length > 1 ? interBrokerListenerName : undefined,
  };
}

/**
 * The values of `listener.name.<listener>.<name>`, by listener.
 *
 * @throws ConfigException for one that is no whole number
 */
function listenerOverrides({ listeners, originals }: KafkaConfig, name: string): Map<string, number> {
  const overrides = new Map<string, number>();
  for (const { listenerName } of listeners) {
    const key = `listener.name.${listenerName.toLowerCase()}.${name}`;
    const text = originals[key];
    if (text === undefined) continue;
    if (!/^\d+$/.test(text.trim())) {
      throw new ConfigException(`Invalid value ${text} for configuration ${key}: Not a number of type INT`);
    }
    overrides.set(listenerName, Number(text));
  }
  return overrides;
}

function perIpOverrides(text: string): Map<string, number> {
  const overrides = new Map<string, number>();
  for (const entry of text.split(',')) {
    const colon = entry.lastIndexOf(':');
    if (colon > 0) overrides.set(entry.slice(0, colon).trim(), Number(entry.slice(colon + 1)));
  }
  return overrides;
}

/** What quotas read of the broker's settings. */
export function quotaConfig(config: KafkaConfig): QuotaConfig {
  return {
    windowNum: config.number('quota.window.num'),
    windowSizeSeconds: config.number('quota.window.size.seconds'),
    controllerWindowNum: config.number('controller.quota.window.num'),
    controllerWindowSizeSeconds: config.number('controller.quota.window.size.seconds'),
    producerDefault: config.number('quota.producer.default'),
    consumerDefault: config.number('quota.consumer.default'),
  };
}

/** The shape of topics that are created on first use: ordinary ones, and the coordinators' own. */
export function topicShapes(config: KafkaConfig): { ordinary: TopicShape; internal: Record<string, TopicShape> } {
  return {
    ordinary: {
      partitions: config.number('num.partitions'),
      replicationFactor: config.number('default.replication.factor'),
      config: {},
    },
    internal: {
      __consumer_offsets: {
        partitions: config.number('offsets.topic.num.partitions'),
        replicationFactor: config.number('offsets.topic.replication.factor'),
        config: {
          'cleanup.policy': 'compact',
          'segment.bytes': String(config.number('offsets.topic.segment.bytes')),
          'compression.type': 'producer',
        },
      },
      __transaction_state: {
        partitions: config.number('transaction.state.log.num.partitions'),
        replicationFactor: config.number('transaction.state.log.replication.factor'),
        config: {
          'unclean.leader.election.enable': 'false',
          'compression.type': 'uncompressed',
          'cleanup.policy': 'compact',
          'min.insync.replicas': String(config.number('transaction.state.log.min.isr')),
          'segment.bytes': String(config.number('transaction.state.log.segment.bytes')),
        },
      },
    },
  };
}

/** What group coordination reads of the broker's settings. */
export function groupConfig(config: KafkaConfig): GroupConfig {
  return {
    minSessionTimeoutMs: config.number('group.min.session.timeout.ms'),
    maxSessionTimeoutMs: config.number('group.max.session.timeout.ms'),
    maxSize: config.number('group.max.size'),
    initialRebalanceDelayMs: config.number('group.initial.rebalance.delay.ms'),
    offsetMetadataMaxSize: config.number('offset.metadata.max.bytes'),
    offsetsLoadBufferSize: config.number('offsets.load.buffer.size'),
    offsetsRetentionMinutes: config.number('offsets.retention.minutes'),
    offsetsRetentionCheckIntervalMs: config.number('offsets.retention.check.interval.ms'),
    offsetsCommitTimeoutMs: config.number('offsets.commit.timeout.ms'),
    offsetsCommitRequiredAcks: config.number('offsets.commit.required.acks'),
    offsetsTopicCompressionCodec: config.number('offsets.topic.compression.codec'),
  };
}
