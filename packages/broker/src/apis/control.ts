import { Errors } from '@klassic/protocol';
import type { KafkaController } from '@klassic/controller';
import type { RequestOf, ResponseInit } from '@klassic/protocol';
import type { OnReplicaDeleted, Partition, ReplicaManager } from '../replica/index.ts';
import type { AnyApiHandler, ApiHandler } from './api-handler.ts';

/** What the controller's requests touch in this broker. */
export interface ControlHandlerOptions {
  readonly replicaManager: ReplicaManager;
  readonly controller: Pick<KafkaController, 'brokerEpoch' | 'controlledShutdown'>;
  /** Told of the partitions this broker has begun to lead or follow: the coordinators load or drop what they hold. */
  readonly onLeadershipChange: (leaders: readonly Partition[], followers: readonly Partition[]) => void;
  /** Reads ahead what opening the logs of these topics needs. */
  readonly beforeLeaderAndIsr: (topics: ReadonlySet<string>) => Promise<void>;
  /** Told of replicas that StopReplica deleted here. */
  readonly onReplicaDeleted: OnReplicaDeleted;
  /** Told of partitions that are gone from the cluster. */
  readonly onDeletedPartitions: (partitions: readonly { topic: string; partition: number }[]) => void;
  /** Told of every snapshot that was taken over. */
  readonly onMetadata: () => void;
}

const anyBrokerEpoch = -1;
/** From this version on LeaderAndIsr bears topic ids (KIP-516). */
const topicIdVersion = 5;

/** The requests of the controller to this broker, and ControlledShutdown of other brokers to the controller. */
export function controlHandlers(options: ControlHandlerOptions): AnyApiHandler[] {
  return [leaderAndIsr(options), stopReplica(options), updateMetadata(options), controlledShutdown(options)];
}

/** A request meant for an earlier life of this broker is refused (KIP-380). */
function isStaleEpoch(
  { brokerEpoch }: { brokerEpoch: number },
  controller: Pick<KafkaController, 'brokerEpoch'>,
): boolean {
  return brokerEpoch !== anyBrokerEpoch && brokerEpoch < controller.brokerEpoch;
}

function leaderAndIsr(options: ControlHandlerOptions): ApiHandler<'LeaderAndIsr'> {
  const { controller, replicaManager, onLeadershipChange, beforeLeaderAndIsr } = options;
  return {
    api: 'LeaderAndIsr',
    minVersion: 0,
    maxVersion: 5,
    async handle({ header, body }) {
      if (isStaleEpoch(body, controller)) return { errorCode: Errors.STALE_BROKER_EPOCH.code };
      const response = await replicaManager.becomeLeaderOrFollower(header.correlationId, body, {
        beforeChange: beforeLeaderAndIsr,
        onLeadershipChange,
      });
      return header.apiVersion >= topicIdVersion ? byTopicId(body, response) : response;
    },
    failure: (_request, error) => ({ errorCode: error.code }),
  };
}

/** From version 5 on the answer names topics by their ids. */
function byTopicId(
  { topicStates }: RequestOf<'LeaderAndIsr'>,
  { errorCode, partitionErrors }: ResponseInit<'LeaderAndIsr'>,
): ResponseInit<'LeaderAndIsr'> {
  const topics = topicStates.map(({ topicName, topicId }) => ({
    topicId,
    partitionErrors: (partitionErrors ?? []).filter((each) => each.topicName === topicName),
  }));
  return {
    errorCode,
    topics: topics.map(({ topicId, partitionErrors: errors }) => ({
      topicId,
      partitionErrors: errors.map(({ partitionIndex, errorCode: code }) => ({ partitionIndex, errorCode: code })),
    })),
  };
}

function stopReplica({
  controller,
  replicaManager,
  onReplicaDeleted,
}: ControlHandlerOptions): ApiHandler<'StopReplica'> {
  return {
    api: 'StopReplica',
    minVersion: 0,
    maxVersion: 3,
    handle({ header, body }) {
      if (isStaleEpoch(body, controller)) return { errorCode: Errors.STALE_BROKER_EPOCH.code };
      return replicaManager.stopReplicas(header.correlationId, body, onReplicaDeleted);
    },
    failure: (_request, error) => ({ errorCode: error.code }),
  };
}

function updateMetadata(options: ControlHandlerOptions): ApiHandler<'UpdateMetadata'> {
  const { controller, replicaManager, onDeletedPartitions, onMetadata } = options;
  return {
    api: 'UpdateMetadata',
    minVersion: 0,
    maxVersion: 7,
    async handle({ header, body }) {
      if (isStaleEpoch(body, controller)) return { errorCode: Errors.STALE_BROKER_EPOCH.code };
      const deleted = await replicaManager.maybeUpdateMetadataCache(header.correlationId, body);
      if (deleted.length > 0) onDeletedPartitions(deleted);
      onMetadata();
      return { errorCode: Errors.NONE.code };
    },
    failure: (_request, error) => ({ errorCode: error.code }),
  };
}

function controlledShutdown({ controller }: ControlHandlerOptions): ApiHandler<'ControlledShutdown'> {
  return {
    api: 'ControlledShutdown',
    minVersion: 0,
    maxVersion: 3,
    async handle({ body, header: { apiVersion } }) {
      const epoch = apiVersion >= 2 ? body.brokerEpoch : anyBrokerEpoch;
      const remaining = await controller.controlledShutdown(body.brokerId, epoch);
      return {
        errorCode: Errors.NONE.code,
        remainingPartitions: remaining.map(({ topic, partition }) => ({ topicName: topic, partitionIndex: partition })),
      };
    },
    failure: (_request, error) => ({ errorCode: error.code, remainingPartitions: [] }),
  };
}
