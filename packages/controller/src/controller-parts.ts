import type { Logger, LoggerFactory, Random, Time, TopicPartition } from '@klassic/common';
import type { BrokerInfo } from '@klassic/zookeeper';
import { ControllerBrokerRequestBatch } from './controller-broker-request-batch.ts';
import { ControllerChannelManager } from './controller-channel-manager.ts';
import type { ControllerConfig } from './controller-config.ts';
import type { ConnectToBroker } from './controller-connection.ts';
import type { ControllerContext } from './controller-context.ts';
import type { ControllerEvent } from './controller-events.ts';
import type { ControllerStore } from './controller-store.ts';
import { ControllerWatches } from './controller-watches.ts';
import { PartitionStateMachine } from './partition-state-machine.ts';
import { ReplicaStateMachine } from './replica-state-machine.ts';
import { StateChangeLogger } from './state-change-logger.ts';
import { TopicDeletionManager } from './topic-deletion-manager.ts';

export interface KafkaControllerOptions {
  readonly config: ControllerConfig;
  readonly zkClient: ControllerStore;
  /** What is registered anew when the session was lost. */
  readonly brokerInfo: BrokerInfo;
  /** The czxid of the broker's present registration. */
  readonly brokerEpoch: number;
  readonly connect: ConnectToBroker;
  readonly time: Time;
  /** Handed to all parts of a broker alike; the controller leaves nothing to chance. */
  readonly random?: Random;
  readonly loggers: LoggerFactory;
}

/** What the handlers of controller events share; `assembleParts` puts it together. */
export interface ControllerParts {
  readonly config: ControllerConfig;
  readonly context: ControllerContext;
  readonly store: ControllerStore;
  readonly watches: ControllerWatches;
  readonly channelManager: ControllerChannelManager;
  readonly batch: ControllerBrokerRequestBatch;
  readonly replicaStateMachine: ReplicaStateMachine;
  readonly partitionStateMachine: PartitionStateMachine;
  readonly topicDeletionManager: TopicDeletionManager;
  readonly stateChangeLogger: StateChangeLogger;
  readonly log: Logger;
  readonly putEvent: (event: ControllerEvent) => void;
  /** Sends UpdateMetadata with the live brokers and the given partitions to the given brokers. */
  readonly sendUpdateMetadataRequest: (brokerIds: readonly number[], partitions: readonly TopicPartition[]) => void;
}

/** Wires a controller's parts by hand. The state machines and the handlers each have a batch of their own. */
export function assembleParts(
  { config, zkClient: store, connect, time, loggers }: KafkaControllerOptions,
  context: ControllerContext,
  putEvent: (event: ControllerEvent) => void,
  log: Logger,
): ControllerParts {
  const stateChangeLogger = new StateChangeLogger(config.brokerId, loggers);
  const channelManager = new ControllerChannelManager({ config, context, connect, stateChangeLogger, time, loggers });
  const newBatch = (): ControllerBrokerRequestBatch =>
    new ControllerBrokerRequestBatch(config, channelManager, context, putEvent, stateChangeLogger, loggers);
  const batch = newBatch();
  const watches = new ControllerWatches(store, putEvent);
  const machine = { config, context, store, stateChangeLogger, loggers };
  const replicaStateMachine = new ReplicaStateMachine({ ...machine, batch: newBatch() });
  const partitionStateMachine = new PartitionStateMachine({ ...machine, batch: newBatch() });
  const sendUpdateMetadataRequest = (brokerIds: readonly number[], partitions: readonly TopicPartition[]): void => {
    batch.newBatch();
    batch.addUpdateMetadataRequestForBrokers(brokerIds, partitions);
    batch.sendRequestsToBrokers(context.epoch);
  };
  const topicDeletionManager = new TopicDeletionManager({
    config,
    context,
    store,
    watches,
    replicaStateMachine,
    partitionStateMachine,
    sendMetadataUpdate: (partitions) => sendUpdateMetadataRequest(context.liveOrShuttingDownBrokerIds, partitions),
    loggers,
  });
  return {
    config,
    context,
    store,
    watches,
    channelManager,
    batch,
    replicaStateMachine,
    partitionStateMachine,
    topicDeletionManager,
    stateChangeLogger,
    log,
    putEvent,
    sendUpdateMetadataRequest,
  };
}
