import { Histogram } from '@klassic/common';
import type { ControllerEvent } from './controller-events.ts';

/** Microseconds are told apart. */
const RESOLUTION_MS = 0.001;

/** What the reference calls the controller's state while it carries an event out (`kafka.controller.ControllerState`). */
const timerNames: Readonly<Record<ControllerEvent['kind'], string>> = {
  Startup: 'ControllerChange',
  ControllerChange: 'ControllerChange',
  Reelect: 'ControllerChange',
  RegisterBrokerAndReelect: 'ControllerChange',
  Expire: 'ControllerChange',
  BrokerChange: 'LeaderElection',
  BrokerModifications: 'LeaderElection',
  TopicChange: 'TopicChange',
  PartitionModifications: 'TopicChange',
  TopicDeletion: 'TopicDeletion',
  TopicDeletionStopReplicaResponseReceived: 'TopicDeletion',
  IsrChangeNotification: 'IsrChange',
  LogDirEventNotification: 'LogDirChange',
  AutoPreferredReplicaLeaderElection: 'AutoLeaderBalance',
  ReplicaLeaderElection: 'ManualLeaderBalance',
  UncleanLeaderElectionEnable: 'UncleanLeaderElectionEnable',
  TopicUncleanLeaderElectionEnable: 'TopicUncleanLeaderElectionEnable',
  ControlledShutdown: 'ControlledShutdown',
  LeaderAndIsrResponseReceived: 'LeaderAndIsrResponseReceived',
  UpdateMetadataResponseReceived: 'UpdateMetadataResponseReceived',
  ZkPartitionReassignment: 'PartitionReassignment',
  PartitionReassignmentIsrChange: 'PartitionReassignment',
  ApiPartitionReassignment: 'PartitionReassignment',
  ListPartitionReassignments: 'ListPartitionReassignment',
};

/**
 * How long events waited for the controller and how long it took over them. Counterpart of
 * `kafka.controller.ControllerStats`, and of the event manager's `EventQueueTimeMs`.
 */
export class ControllerStats {
  readonly eventQueueTimeMs = new Histogram(RESOLUTION_MS);
  /** By the name of the reference's timer without `RateAndTimeMs`; `LeaderElection` is that of brokers that come and go. */
  readonly rateAndTimeMs: ReadonlyMap<string, Histogram> = new Map(
    [...new Set(Object.values(timerNames))].map((name) => [name, new Histogram(RESOLUTION_MS)]),
  );

  update(kind: ControllerEvent['kind'], queuedMs: number, processedMs: number): void {
    this.eventQueueTimeMs.update(queuedMs);
    this.rateAndTimeMs.get(timerNames[kind])!.update(processedMs);
  }

  /** Ends a period of the histograms. */
  rotate(): void {
    this.eventQueueTimeMs.rotate();
    for (const histogram of this.rateAndTimeMs.values()) histogram.rotate();
  }
}
