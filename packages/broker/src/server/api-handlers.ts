import type { LoggerFactory, Random, Time } from '@klassic/common';
import type { AdminZkClient, KafkaController } from '@klassic/controller';
import { validateTopicConfig } from '@klassic/log';
import type { KafkaZkClient } from '@klassic/zookeeper';
import type { AnyApiHandler } from '../apis/api-handler.ts';
import { alterConfigsHandlers } from '../apis/alter-configs.ts';
import { alterReplicaLogDirsHandler } from '../apis/alter-replica-log-dirs.ts';
import { apiVersionsHandler } from '../apis/api-versions.ts';
import type { AutoTopicCreation } from '../apis/auto-topic-creation.ts';
import { controlHandlers } from '../apis/control.ts';
import { clientQuotasHandlers } from '../apis/client-quotas.ts';
import { onController } from '../apis/controller-forwarding.ts';
import { limitedCreatePartitions, limitedCreateTopics, limitedDeleteTopics } from '../apis/mutation-limits.ts';
import { createTopicsHandler } from '../apis/create-topics.ts';
import { describeConfigsHandler } from '../apis/describe-configs.ts';
import { describeLogDirsHandler } from '../apis/describe-log-dirs.ts';
import { electLeadersHandler } from '../apis/elect-leaders.ts';
import { fetchHandler } from '../apis/fetch.ts';
import { groupHandlers } from '../apis/group-handlers.ts';
import { initProducerIdHandler } from '../apis/init-producer-id.ts';
import { describeClusterHandler, metadataHandler } from '../apis/metadata.ts';
import type { MetadataWatch } from '../apis/metadata-watch.ts';
import { deleteRecordsHandler } from '../apis/delete-records.ts';
import { listOffsetsHandler, offsetForLeaderEpochHandler } from '../apis/offsets-in-log.ts';
import type { ZooKeeperOffsetStore } from '../apis/offsets-in-zookeeper.ts';
import { produceHandler } from '../apis/produce.ts';
import { alterReassignmentsHandler, listReassignmentsHandler } from '../apis/reassignments.ts';
import { topicConfigEntries } from '../apis/topic-config-entries.ts';
import { writeTxnMarkersHandler } from '../apis/write-txn-markers.ts';
import { createPartitionsHandler, deleteTopicsHandler } from '../apis/topic-changes.ts';
import type { GroupCoordinator } from '../group/index.ts';
import type { MetadataCache } from '../metadata/index.ts';
import type { BrokerTopicStats } from '../metrics/index.ts';
import type { QuotaManagers } from '../quota/index.ts';
import { FetchManager, FetchSessionCache } from '../replica/index.ts';
import type { Partition, ReplicaManager } from '../replica/index.ts';
import type { ProducerIdManager } from '../transaction/producer-id-manager.ts';
import { isResolvable } from './host-names.ts';
import type { ControllerChannel } from './inter-broker.ts';
import type { DynamicBrokerConfig } from './dynamic-broker-config.ts';
import type { KafkaConfig } from './kafka-config.ts';
import type { Log4jController } from './log4j-controller.ts';
import type { TopicConfigs } from './topic-configs.ts';

const offsetsTopic = '__consumer_offsets';

/** What the handlers work on. */
export interface ApiHandlersOptions {
  readonly config: KafkaConfig;
  readonly brokerId: number;
  readonly dynamicConfig: DynamicBrokerConfig;
  readonly log4j: Log4jController;
  readonly clusterId: string;
  readonly random: Random;
  readonly time: Time;
  readonly loggers: LoggerFactory;
  readonly replicaManager: ReplicaManager;
  readonly metadataCache: MetadataCache;
  readonly metadataWatch: MetadataWatch;
  readonly controller: KafkaController;
  readonly controllerChannel: ControllerChannel;
  readonly groupCoordinator: GroupCoordinator;
  readonly producerIdManager: ProducerIdManager;
  readonly zkClient: ZooKeeperOffsetStore;
  readonly adminZkClient: AdminZkClient;
  readonly autoTopicCreation: AutoTopicCreation;
  readonly topicConfigs: TopicConfigs;
  /** What stands in `/config`. */
  readonly entityConfigs: Pick<KafkaZkClient, 'getEntityConfigs' | 'getEntitiesConfigs' | 'getAllEntitiesWithConfig'>;
  readonly topicStats: BrokerTopicStats;
  readonly quotas: QuotaManagers;
}

/** Every API this broker serves, each with its handler. */
export function apiHandlers(options: ApiHandlersOptions): readonly AnyApiHandler[] {
  const handlers: readonly AnyApiHandler[] = [
    ...dataHandlers(options),
    ...controlHandlers(controlOptions(options)),
    ...topicHandlers(options),
    ...groupHandlers({
      coordinator: options.groupCoordinator,
      metadataCache: options.metadataCache,
      autoTopicCreation: options.autoTopicCreation,
      zooKeeperOffsetStore: options.zkClient,
      offsetMetadataMaxSize: options.config.number('offset.metadata.max.bytes'),
      time: options.time,
    }),
    apiVersionsHandler(() => handlers),
  ];
  return handlers;
}

function dataHandlers(options: ApiHandlersOptions): AnyApiHandler[] {
  const { config, clusterId, random, time, loggers, replicaManager, metadataCache, autoTopicCreation, quotas } =
    options;
  const sessions = new FetchSessionCache(config.number('max.incremental.fetch.session.cache.slots'), random);
  const fetchManager = new FetchManager(time, sessions, loggers('kafka.server.FetchManager'));
  return [
    produceHandler({ replicaManager, metadataCache, quotas, time }),
    fetchHandler({
      replicaManager,
      metadataCache,
      fetchManager,
      topicStats: options.topicStats,
      quotas,
      time,
      fetchMaxBytes: config.number('fetch.max.bytes'),
    }),
    listOffsetsHandler(replicaManager),
    offsetForLeaderEpochHandler(replicaManager),
    deleteRecordsHandler(replicaManager, metadataCache),
    describeLogDirsHandler(replicaManager),
    alterReplicaLogDirsHandler(replicaManager),
    metadataHandler({ metadataCache, clusterId, autoTopicCreation }),
    describeClusterHandler(metadataCache, clusterId),
    initProducerIdHandler(options.producerIdManager),
    writeTxnMarkersHandler({
      replicaManager,
      coordinator: options.groupCoordinator,
      time,
      requestTimeoutMs: config.number('request.timeout.ms'),
    }),
  ];
}

/** Requests that only the controller fulfils; any broker takes them. */
function topicHandlers(options: ApiHandlersOptions): AnyApiHandler[] {
  const { config, dynamicConfig, controller, controllerChannel, adminZkClient, metadataCache, metadataWatch, random } =
    options;
  const isController = (): boolean => controller.isActive;
  const forwarder = config.boolean('klassic.forward.to.controller') ? controllerChannel : undefined;
  const changes = {
    adminZkClient,
    metadataCache,
    metadataWatch,
    deleteTopicEnable: config.boolean('delete.topic.enable'),
    isQueuedForDeletion: (topic: string) => controller.controllerContext.isTopicQueuedUpForDeletion(topic),
  };
  const defaultPartitions = config.number('num.partitions');
  const limits = { quotas: options.quotas, metadataCache, time: options.time, defaultPartitions };
  const createTopics = createTopicsHandler({
    adminZkClient,
    metadataCache,
    metadataWatch,
    random,
    defaultPartitions,
    defaultReplicationFactor: config.number('default.replication.factor'),
    configEntries: (overrides) => topicConfigEntries(config, dynamicConfig, overrides),
  });
  return [
    limitedCreateTopics(onController(createTopics, isController, forwarder), limits),
    limitedDeleteTopics(onController(deleteTopicsHandler(changes), isController, forwarder), limits),
    limitedCreatePartitions(onController(createPartitionsHandler(changes), isController, forwarder), limits),
    onController(
      electLeadersHandler({ controller, metadataCache, metadataWatch, time: options.time }),
      isController,
      forwarder,
    ),
    onController(alterReassignmentsHandler(controller), isController, forwarder),
    onController(listReassignmentsHandler(controller), isController, forwarder),
    ...configsHandlers(options),
  ];
}

function configsHandlers(options: ApiHandlersOptions): AnyApiHandler[] {
  const { config, brokerId, dynamicConfig, log4j, adminZkClient, metadataCache, topicConfigs } = options;
  return [
    describeConfigsHandler({
      brokerId,
      config,
      dynamicConfig,
      log4j,
      metadataCache,
      topicOverrides: (topic) => topicConfigs.fetch(topic),
      documentation: async () => (await import('./config-documentation.ts')).configDocumentation,
    }),
    ...alterConfigsHandlers({
      brokerId,
      adminZkClient,
      metadataCache,
      dynamicConfig,
      log4j,
      fetchEntityConfig: (entityType, name) => options.entityConfigs.getEntityConfigs(entityType, name),
      validateTopicConfig,
    }),
    ...clientQuotasHandlers({ store: options.entityConfigs, adminZkClient, isResolvable }),
  ];
}

function controlOptions(options: ApiHandlersOptions): Parameters<typeof controlHandlers>[0] {
  const { replicaManager, controller, groupCoordinator, metadataWatch, topicConfigs, topicStats } = options;
  return {
    replicaManager,
    controller,
    beforeLeaderAndIsr: (topics) => topicConfigs.ensure(topics),
    onLeadershipChange(leaders: readonly Partition[], followers: readonly Partition[]) {
      for (const { topic, partitionId, leaderEpoch } of leaders) {
        if (topic === offsetsTopic) groupCoordinator.onElection(partitionId, leaderEpoch);
      }
      for (const { topic, partitionId, leaderEpoch } of followers) {
        if (topic === offsetsTopic) groupCoordinator.onResignation(partitionId, leaderEpoch);
      }
    },
    onReplicaDeleted({ topic, partition }, leaderEpoch) {
      if (topic === offsetsTopic) groupCoordinator.onResignation(partition, leaderEpoch);
    },
    onDeletedPartitions(partitions) {
      const topics = new Set(partitions.map(({ topic }) => topic));
      topicConfigs.forget(topics);
      for (const topic of topics) topicStats.remove(topic);
      groupCoordinator.handleDeletedPartitions(partitions);
    },
    onMetadata: () => metadataWatch.changed(),
  };
}
