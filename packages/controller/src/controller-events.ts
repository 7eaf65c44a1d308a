import type { TopicPartition } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import type { ErrorName } from '@klassic/protocol';
import type { PartitionErrorsResponse } from './control-requests.ts';

export type ElectionType = 'PREFERRED' | 'UNCLEAN';
export type ElectionTrigger = 'ZkTriggered' | 'AutoTriggered' | 'AdminClientTriggered';

/** How a request to the controller ends: its promise is settled when the event has been processed. */
export interface Reply<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** An error of one partition in an answer: the name of Kafka's error and its message (null: the error's own). */
export interface PartitionError {
  readonly error: ErrorName;
  readonly message: string | null;
}

/** Per partition key the new leader, or why there is none. */
export type ElectionResults = Map<string, { readonly leader: number } | PartitionError>;

/** All that can happen to a controller. One after the other, in the order of their arrival, each to its end. */
export type ControllerEvent =
  | { readonly kind: 'Startup' }
  | { readonly kind: 'ControllerChange' }
  | { readonly kind: 'Reelect' }
  | { readonly kind: 'RegisterBrokerAndReelect' }
  | { readonly kind: 'Expire' }
  | { readonly kind: 'BrokerChange' }
  | { readonly kind: 'BrokerModifications'; readonly brokerId: number }
  | { readonly kind: 'TopicChange' }
  | { readonly kind: 'PartitionModifications'; readonly topic: string }
  | { readonly kind: 'TopicDeletion' }
  | { readonly kind: 'IsrChangeNotification' }
  | { readonly kind: 'LogDirEventNotification' }
  | { readonly kind: 'AutoPreferredReplicaLeaderElection' }
  | {
      readonly kind: 'ReplicaLeaderElection';
      /** Absent: the partitions of `/admin/preferred_replica_election`. */
      readonly partitions?: readonly TopicPartition[];
      readonly electionType: ElectionType;
      readonly trigger: ElectionTrigger;
      readonly reply?: Reply<ElectionResults>;
    }
  | { readonly kind: 'UncleanLeaderElectionEnable' }
  | { readonly kind: 'TopicUncleanLeaderElectionEnable'; readonly topic: string }
  | {
      readonly kind: 'ControlledShutdown';
      readonly brokerId: number;
      readonly brokerEpoch: number;
      readonly reply: Reply<TopicPartition[]>;
    }
  | {
      readonly kind: 'LeaderAndIsrResponseReceived';
      readonly brokerId: number;
      readonly response: PartitionErrorsResponse;
    }
  | { readonly kind: 'UpdateMetadataResponseReceived'; readonly brokerId: number; readonly errorCode: number }
  | {
      readonly kind: 'TopicDeletionStopReplicaResponseReceived';
      readonly brokerId: number;
      readonly errorCode: number;
      readonly partitionErrors: readonly { readonly partition: TopicPartition; readonly errorCode: number }[];
    }
  | { readonly kind: 'ZkPartitionReassignment' }
  | { readonly kind: 'PartitionReassignmentIsrChange'; readonly partition: TopicPartition }
  | {
      readonly kind: 'ApiPartitionReassignment';
      /** The target replicas, or null to cancel. */
      readonly reassignments: readonly {
        readonly partition: TopicPartition;
        readonly target: readonly number[] | null;
      }[];
      readonly reply: Reply<PartitionError[]>;
    }
  | {
      readonly kind: 'ListPartitionReassignments';
      readonly partitions: readonly TopicPartition[] | null;
      readonly reply: Reply<TopicPartition[]>;
    };

/** The events that every broker processes; all others are the controller's alone. */
export type ElectionEvent = Extract<
  ControllerEvent,
  { kind: 'Startup' | 'ControllerChange' | 'Reelect' | 'RegisterBrokerAndReelect' | 'Expire' }
>;

export function isElectionEvent(event: ControllerEvent): event is ElectionEvent {
  return ['Startup', 'ControllerChange', 'Reelect', 'RegisterBrokerAndReelect', 'Expire'].includes(event.kind);
}

/**
 * Answers an event that nobody will process: another broker is the controller. A broker that shuts down hears so by
 * STALE_CONTROLLER_EPOCH, the error of `ControllerMovedException`.
 */
export function preemptEvent(event: ControllerEvent): void {
  const error =
    event.kind === 'ControlledShutdown'
      ? new KafkaError(
          Errors.STALE_CONTROLLER_EPOCH,
          'Controller moved to another broker. Aborting controlled shutdown',
        )
      : new KafkaError(Errors.NOT_CONTROLLER, 'This is not the correct controller for this cluster.');
  rejectReply(event, error);
}

/** Fails the request that an event came from, if any. Without effect when it has been answered. */
export function rejectReply(event: ControllerEvent, error: unknown): void {
  if ('reply' in event) event.reply?.reject(error);
}
