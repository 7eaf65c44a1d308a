import { prefixed, SystemRandom } from '@klassic/common';
import type { Logger, LoggerFactory, Random, Time } from '@klassic/common';
import { AdminZkClient, KafkaController } from '@klassic/controller';
import { LogManager, validateTopicConfig } from '@klassic/log';
import { SocketServer } from '@klassic/network';
import { KafkaZkClient } from '@klassic/zookeeper';
import type { BrokerInfo } from '@klassic/zookeeper';
import { AutoTopicCreation } from '../apis/auto-topic-creation.ts';
import { KafkaApis } from '../apis/kafka-apis.ts';
import { MetadataWatch } from '../apis/metadata-watch.ts';
import { GroupCoordinator, ReplicaGroupLog } from '../group/index.ts';
import { MetadataCache } from '../metadata/index.ts';
import { loadQuotas, quotaConfigHandlers, QuotaManagers } from '../quota/index.ts';
import { ReplicaManager } from '../replica/index.ts';
import { ProducerIdManager } from '../transaction/producer-id-manager.ts';
import { apiHandlers } from './api-handlers.ts';
import { brokerInfoOf, checkEndPoints } from './broker-registration.ts';
import { checkpointIdentity, randomClusterId, settleIdentity } from './broker-metadata.ts';
import type { BrokerIdentity } from './broker-metadata.ts';
import { controlledShutdown } from './controlled-shutdown.ts';
import { configHandlers } from './config-handlers.ts';
import { addBrokerReconfigurables, loadDynamicConfig } from './dynamic-config-start.ts';
import { DynamicConfigManager } from './dynamic-config-manager.ts';
import { ControllerChannel, InterBrokerConnection } from './inter-broker.ts';
import type { KafkaConfig } from './kafka-config.ts';
import type { Log4jController } from './log4j-controller.ts';
import { Observability } from './observability.ts';
import { SessionWatch } from './session-watch.ts';
import {
  controllerConfig,
  groupConfig,
  quotaConfig,
  replicaManagerConfig,
  socketServerConfig,
  topicShapes,
} from './settings.ts';
import { TopicConfigs } from './topic-configs.ts';

/** How long a controller that leaves waits at most for the answers to its last requests, in milliseconds. */
const lastRequestsMs = 1_000;

export interface KafkaServerOptions {
  readonly config: KafkaConfig;
  readonly time: Time;
  readonly random?: Random;
  readonly loggers: LoggerFactory;
  /** The loggers' levels. */
  readonly log4j: Log4jController;
  /** Told of a programmer's error, after which the broker cannot go on. */
  readonly onFatal: (error: unknown) => void;
}

/** What runs once the broker is up, in the order in which it is started. */
interface Running {
  sessionWatch: SessionWatch;
  identity: BrokerIdentity;
  zkClient: KafkaZkClient;
  logManager: LogManager;
  metadataCache: MetadataCache;
  metadataWatch: MetadataWatch;
  socketServer: SocketServer;
  replicaManager: ReplicaManager;
  controller: KafkaController;
  groupCoordinator: GroupCoordinator;
  dynamicConfigManager: DynamicConfigManager;
  controllerChannel: ControllerChannel;
  shutdownChannel: ControllerChannel;
  apis: KafkaApis;
}

/** One broker: everything is put together here, started in order, and stopped in reverse. Counterpart of `kafka.server.KafkaServer`. */
export class KafkaServer {
  private readonly options: KafkaServerOptions;
  private readonly config: KafkaConfig;
  private readonly time: Time;
  private readonly random: Random;
  private readonly loggers: LoggerFactory;
  private readonly observability: Observability;
  private logger: Logger;
  /** `kafka.server.BrokerState`: 1 starting, 3 running, 6 pending controlled shutdown, 7 shutting down. */
  private brokerState = 1;
  /** What has been started so far; complete when the broker is up. */
  private running: Partial<Running> = {};

  constructor(options: KafkaServerOptions) {
    this.options = options;
    this.config = options.config;
    this.time = options.time;
    this.random = options.random ?? new SystemRandom();
    this.loggers = options.loggers;
    this.observability = new Observability(this.config, this.time, this.loggers);
    this.logger = this.loggers('kafka.server.KafkaServer');
  }

  /**
   * Starts the broker; it serves when this resolves.
   *
   * @throws an error whose message is one line for the operator: an unreachable ZooKeeper, a taken port, an id that is in use
   */
  async startup(): Promise<void> {
    const { config, time, loggers, logger, running } = this;
    logger.info('starting');
    for (const key of config.unknownKeys)
      logger.warn(`The configuration '${key}' was supplied but isn't a known config.`);
    const zkClient = (running.zkClient = await this.connectToZooKeeper());
    const sessionWatch = (running.sessionWatch = new SessionWatch(zkClient));
    await zkClient.createTopLevelPaths();
    const clusterId =
      (await zkClient.getClusterId()) ?? (await zkClient.createOrGetClusterId(randomClusterId(this.random)));
    logger.info(`Cluster ID = ${clusterId}`);
    const identity = (running.identity = await settleIdentity(
      config,
      zkClient,
      clusterId,
      loggers('kafka.server.BrokerMetadataCheckpoint'),
    ));
    this.logger = prefixed(logger, `[KafkaServer id=${identity.brokerId}] `);
    const dynamicConfig = await loadDynamicConfig(config, identity.brokerId, zkClient, loggers);
    const topicConfigs = new TopicConfigs(zkClient);
    await topicConfigs.loadAll();
    const logManager = (running.logManager = this.createLogManager(topicConfigs));
    await logManager.startup();
    const metadataCache = (running.metadataCache = new MetadataCache(identity.brokerId, loggers));
    const metadataWatch = (running.metadataWatch = new MetadataWatch(time));
    const { onComplete, topicStats } = this.observability;
    const socketServer = (running.socketServer = new SocketServer({
      endPoints: config.listeners,
      config: socketServerConfig(config),
      time,
      loggers,
      handler: (request) => running.apis?.handle(request),
      ...(onComplete === undefined ? {} : { onComplete }),
    }));
    await socketServer.start();
    const replicaManager = (running.replicaManager = this.createReplicaManager(
      identity,
      zkClient,
      logManager,
      metadataCache,
    ));
    replicaManager.startup();
    const brokerInfo = brokerInfoOf(config, identity, socketServer);
    await checkEndPoints(brokerInfo, zkClient);
    const brokerEpoch = await zkClient.registerBroker(brokerInfo);
    checkpointIdentity(config, identity, time.milliseconds());
    const controller = (running.controller = this.createController(brokerInfo, brokerEpoch, zkClient));
    controller.startup();
    const groupCoordinator = (running.groupCoordinator = this.createGroupCoordinator(identity, replicaManager));
    groupCoordinator.startup(await this.offsetsTopicPartitions(zkClient));
    const producerIdManager = new ProducerIdManager(identity.brokerId, zkClient, loggers);
    await producerIdManager.startup();
    const channel = (clientId: string): ControllerChannel =>
      new ControllerChannel({ config, clientId, metadataCache, time });
    const controllerChannel = (running.controllerChannel = channel(`broker-${identity.brokerId}-to-controller`));
    running.shutdownChannel = channel(String(identity.brokerId));
    const adminZkClient = new AdminZkClient({ store: zkClient, random: this.random, loggers, validateTopicConfig });
    const autoTopicCreation = new AutoTopicCreation({
      enabled: config.boolean('auto.create.topics.enable'),
      ...topicShapes(config),
      adminZkClient,
      metadataCache,
      logger: loggers('kafka.server.AutoTopicCreationManager'),
    });
    const quotas = new QuotaManagers(quotaConfig(config), time);
    const quotaHandlers = quotaConfigHandlers(quotas, socketServer);
    await loadQuotas(zkClient, quotaHandlers);
    const handlers = apiHandlers({
      config,
      clusterId,
      random: this.random,
      time,
      loggers,
      replicaManager,
      metadataCache,
      metadataWatch,
      controller,
      controllerChannel,
      groupCoordinator,
      producerIdManager,
      zkClient,
      adminZkClient,
      autoTopicCreation,
      topicConfigs,
      entityConfigs: zkClient,
      brokerId: identity.brokerId,
      dynamicConfig,
      log4j: this.options.log4j,
      topicStats,
      quotas,
    });
    running.apis = new KafkaApis(handlers, quotas, loggers, this.options.onFatal);
    addBrokerReconfigurables(dynamicConfig, {
      config,
      logs: logManager.reconfiguration,
      socketServer,
      replicaManager,
      controller,
      updateBrokerInfo: () => {
        const info = brokerInfoOf(config, identity, socketServer);
        controller.updateBrokerInfo(info);
        zkClient.updateBrokerInfo(info).catch((error: unknown) => logger.error('Could not register again', error));
      },
    });
    const dynamicConfigManager = (running.dynamicConfigManager = new DynamicConfigManager({
      zkClient,
      time,
      loggers,
      handlers: {
        ...configHandlers({
          brokerId: identity.brokerId,
          dynamicConfig,
          topicConfigs,
          logManager,
          controller,
          replicationQuotas: replicaManager.quotas,
        }),
        ...quotaHandlers,
      },
    }));
    await dynamicConfigManager.startup();
    await this.observability.start({
      brokerId: identity.brokerId,
      clusterId,
      brokerState: () => this.brokerState,
      session: sessionWatch,
      socketServer,
      logManager,
      replicaManager,
      metadataCache,
      controller,
      groupCoordinator,
      quotas,
    });
    socketServer.startProcessingRequests();
    this.brokerState = 3;
    this.logger.info('started');
  }

  /** Hands leaderships over, then stops everything; may be called at any moment, also after a failed start. */
  async shutdown(): Promise<void> {
    const { running, logger, config } = this;
    logger.info('shutting down');
    running.replicaManager?.prepareShutdown();
    this.brokerState = 6;
    if (config.boolean('controlled.shutdown.enable')) await this.askForControlledShutdown();
    this.brokerState = 7;
    running.dynamicConfigManager?.shutdown();
    running.socketServer?.stopProcessingRequests();
    running.controllerChannel?.close();
    running.shutdownChannel?.close();
    running.metadataWatch?.shutdown();
    running.groupCoordinator?.shutdown();
    await running.replicaManager?.shutdown();
    await running.logManager?.shutdown();
    await running.controller?.shutdown();
    this.observability.stop();
    running.sessionWatch?.close();
    await running.zkClient?.close();
    await running.socketServer?.shutdown();
    logger.info('shut down completed');
  }

  private async askForControlledShutdown(): Promise<void> {
    const { identity, controller, shutdownChannel: channel } = this.running;
    if (identity === undefined || controller === undefined || channel === undefined) return;
    await controlledShutdown({
      config: this.config,
      brokerId: identity.brokerId,
      brokerEpoch: () => controller.brokerEpoch,
      channel,
      time: this.time,
      logger: this.logger,
    });
    // The original's threads go on sending while its logs are closed, which takes longer.
    await controller.whenRequestsAnswered(lastRequestsMs);
  }

  private connectToZooKeeper(): Promise<KafkaZkClient> {
    const { config, time, random, loggers, logger } = this;
    logger.info(`Connecting to zookeeper on ${config.zkConnect}`);
    const sessionTimeoutMs = config.number('zookeeper.session.timeout.ms');
    return KafkaZkClient.connect({
      connectString: config.zkConnect,
      sessionTimeoutMs,
      connectionTimeoutMs: config.optionalNumber('zookeeper.connection.timeout.ms') ?? sessionTimeoutMs,
      maxInFlightRequests: config.number('zookeeper.max.in.flight.requests'),
      secure: config.boolean('zookeeper.set.acl'),
      name: 'Kafka server',
      time,
      random,
      loggers,
    });
  }

  private createLogManager(topicConfigs: TopicConfigs): LogManager {
    const { config, time, random, loggers, running, options } = this;
    const { flushTimeMs } = this.observability;
    return LogManager.create({
      logDirs: config.logDirs,
      brokerDefaults: config.texts,
      topicConfigs: (topic) => topicConfigs.overridesOf(topic),
      flushCheckMs: config.number('log.flush.scheduler.interval.ms'),
      retentionCheckMs: config.number('log.retention.check.interval.ms'),
      flushRecoveryOffsetCheckpointMs: config.number('log.flush.offset.checkpoint.interval.ms'),
      flushStartOffsetCheckpointMs: config.number('log.flush.start.offset.checkpoint.interval.ms'),
      producerIdExpirationMs: config.number('transactional.id.expiration.ms'),
      ...(flushTimeMs === undefined ? {} : { flushTimeMs }),
      time,
      random,
      loggers,
      onLogDirFailure: (logDir) => {
        running.replicaManager?.handleLogDirFailure(logDir);
        if (running.logManager?.liveLogDirs.length === 0) {
          options.onFatal(
            new Error(`Shutdown broker because all log dirs in ${config.logDirs.join(', ')} have failed`),
          );
          return;
        }
        const { identity, zkClient } = running;
        if (identity !== undefined) zkClient?.propagateLogDirEvent(identity.brokerId).catch(options.onFatal);
      },
    });
  }

  private createReplicaManager(
    { brokerId }: BrokerIdentity,
    zkClient: KafkaZkClient,
    logManager: LogManager,
    metadataCache: MetadataCache,
  ): ReplicaManager {
    const { config, time, random, loggers } = this;
    return new ReplicaManager({
      config: replicaManagerConfig(config, brokerId),
      time,
      random,
      loggers,
      logManager,
      metadataCache,
      isrStore: zkClient,
      topicStats: this.observability.topicStats,
      connectToLeader: (leader, clientId) =>
        new InterBrokerConnection(leader, clientId, config, time, config.number('replica.socket.timeout.ms')),
    });
  }

  private createController(brokerInfo: BrokerInfo, brokerEpoch: number, zkClient: KafkaZkClient): KafkaController {
    const { config, time, loggers } = this;
    return new KafkaController({
      config: controllerConfig(config, brokerInfo.id),
      zkClient,
      brokerInfo,
      brokerEpoch,
      connect: (broker) =>
        new InterBrokerConnection(
          broker,
          String(brokerInfo.id),
          config,
          time,
          config.number('controller.socket.timeout.ms'),
        ),
      time,
      loggers,
    });
  }

  private createGroupCoordinator({ brokerId }: BrokerIdentity, replicaManager: ReplicaManager): GroupCoordinator {
    const { config, time, random, loggers } = this;
    return new GroupCoordinator({
      brokerId,
      config: groupConfig(config),
      groupLog: new ReplicaGroupLog(replicaManager),
      time,
      random,
      loggers,
    });
  }

  /** The number of partitions that group ids are spread over: the topic's, if it exists. */
  private async offsetsTopicPartitions(zkClient: KafkaZkClient): Promise<number> {
    const existing = await zkClient.getPartitionsForTopics(['__consumer_offsets']);
    return existing.get('__consumer_offsets')?.length ?? this.config.number('offsets.topic.num.partitions');
  }
}
