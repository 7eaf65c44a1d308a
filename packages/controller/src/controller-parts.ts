import type { Logger, TopicPartition } from '@klassic/common';
import type { ControllerBrokerRequestBatch } from './controller-broker-request-batch.ts';
import type { ControllerChannelManager } from './controller-channel-manager.ts';
import type { ControllerConfig } from './controller-config.ts';
import type { ControllerContext } from './controller-context.ts';
import type { ControllerEvent } from './controller-events.ts';
import type { ControllerStore } from './controller-store.ts';
import type { ControllerWatches } from './controller-watches.ts';
import type { PartitionStateMachine } from './partition-state-machine.ts';
import type { ReplicaStateMachine } from './replica-state-machine.ts';
import type { StateChangeLogger } from './state-change-logger.ts';
import type { TopicDeletionManager } from './topic-deletion-manager.ts';

/** What the handlers of controller events share; `KafkaController` puts it together. */
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
