import type { Logger, TopicPartition } from '@klassic/common';
import { prefixed } from '@klassic/common';
import type { LeaderAndIsr, LeaderIsrAndControllerEpoch } from '@klassic/zookeeper';
import { ControllerMovedError, noLeader } from '@klassic/zookeeper';
import type { ControllerBrokerRequestBatch } from './controller-broker-request-batch.ts';
import type { ControllerConfig } from './controller-config.ts';
import type { ControllerContext, PartitionAndReplica } from './controller-context.ts';
import { keyOf } from './controller-context.ts';
import type { ControllerStore } from './controller-store.ts';
import { leaderIsrAndControllerEpochText, nextLeaderAndIsr } from './leader-and-isr.ts';
import type { StateMachineParts } from './partition-state-machine.ts';
import { isOperatingError } from './operating-error.ts';
import { assignmentText, removeReplica } from './replica-assignment.ts';
import { StateChangeFailedError } from './state-change-failed-error.ts';
import type { StateChangeLogger } from './state-change-logger.ts';
import type { ReplicaState } from './states.ts';
import { replicaStatesTable } from './states.ts';

/**
 * Moves replicas between their states and tells the brokers: online by LeaderAndIsr, offline by StopReplica and out of
 * the ISR, deleted by StopReplica with deletion (`kafka.controller.ReplicaStateMachine`). `states.ts` has the table.
 */
export class ReplicaStateMachine {
  private readonly config: ControllerConfig;
  private readonly context: ControllerContext;
  private readonly store: ControllerStore;
  private readonly batch: ControllerBrokerRequestBatch;
  private readonly stateChangeLogger: StateChangeLogger;
  private readonly log: Logger;

  constructor({ config, context, store, batch, stateChangeLogger, loggers }: StateMachineParts) {
    this.config = config;
    this.context = context;
    this.store = store;
    this.batch = batch;
    this.stateChangeLogger = stateChangeLogger;
    this.log = prefixed(
      loggers('kafka.controller.ZkReplicaStateMachine'),
      `[ReplicaStateMachine controllerId=${config.brokerId}] `,
    );
  }

  /** On election: tells every live replica its partition's state as it is, then takes the dead ones out of the ISR. */
  async startup(): Promise<void> {
    this.log.info('Initializing replica state');
    const online: PartitionAndReplica[] = [];
    const offline: PartitionAndReplica[] = [];
    for (const replica of this.context.replicasForPartitions(this.context.allPartitions)) {
      const isOnline = this.context.isReplicaOnline(replica.replica, replica);
      // A dead replica of a topic to be deleted must not count as deleted by us: its deletion is begun anew.
      this.context.putReplicaState(replica, isOnline ? 'OnlineReplica' : 'ReplicaDeletionIneligible');
      (isOnline ? online : offline).push(replica);
    }
    this.log.info('Triggering online replica state changes');
    await this.handleStateChanges(online, 'OnlineReplica');
    this.log.info('Triggering offline replica state changes');
    await this.handleStateChanges(offline, 'OfflineReplica');
  }

  shutdown(): void {
    this.log.info('Stopped replica state machine');
  }

  /**
   * Moves replicas to a state, broker by broker; those for which the move is not valid stay, with an error in the log.
   *
   * @throws ControllerMovedError when another controller has been elected
   */
  async handleStateChanges(replicas: readonly PartitionAndReplica[], target: ReplicaState): Promise<void> {
    if (replicas.length === 0) return;
    this.batch.newBatch();
    try {
      for (const brokerId of [...new Set(replicas.map(({ replica }) => replica))].sort((a, b) => a - b)) {
        await this.moveReplicasOfBroker(
          brokerId,
          replicas.filter(({ replica }) => replica === brokerId),
          target,
        );
      }
      this.batch.sendRequestsToBrokers(this.context.epoch);
    } catch (error) {
      this.batch.clear();
      if (error instanceof ControllerMovedError) {
        this.log.error(`Controller moved to another broker when moving some replicas to ${target} state`, error);
        throw error;
      }
      if (!isOperatingError(error)) throw error;
      this.log.error(`Error while moving some replicas to ${target} state`, error);
    }
  }

  private async moveReplicasOfBroker(
    brokerId: number,
    replicas: PartitionAndReplica[],
    target: ReplicaState,
  ): Promise<void> {
    for (const replica of replicas) {
      if (!this.context.replicaMayBecome(replica, target)) this.logInvalidTransition(replica, target);
    }
    const valid = replicas.filter((replica) => this.context.replicaMayBecome(replica, target));
    switch (target) {
      case 'NewReplica':
        for (const replica of valid) this.toNew(replica);
        break;
      case 'OnlineReplica':
        for (const replica of valid) this.toOnline(replica);
        break;
      case 'OfflineReplica':
        await this.toOffline(brokerId, valid);
        break;
      case 'ReplicaDeletionStarted':
        for (const replica of valid) {
          this.move(replica, target);
          this.batch.addStopReplicaRequestForBrokers([brokerId], replica, true);
        }
        break;
      case 'ReplicaDeletionIneligible':
      case 'ReplicaDeletionSuccessful':
        for (const replica of valid) this.move(replica, target);
        break;
      case 'NonExistentReplica':
        for (const replica of valid) {
          const assignment = this.context.partitionFullReplicaAssignment(replica);
          this.context.updatePartitionFullReplicaAssignment(replica, removeReplica(assignment, brokerId));
          this.move(replica, target);
          this.context.removeReplicaState(replica);
        }
        break;
    }
  }

  private toNew(replica: PartitionAndReplica): void {
    const state = this.context.partitionLeadershipInfo(replica);
    if (state?.leaderAndIsr.leader === replica.replica) {
      const text = `Replica ${replica.replica} for partition ${keyOf(replica)} cannot be moved to NewReplica state as it is being requested to become leader`;
      const current = this.context.replicaState(replica);
      this.logFailedStateChange(replica, current, 'OfflineReplica', new StateChangeFailedError(text));
      return;
    }
    if (state !== undefined) {
      const assignment = this.context.partitionFullReplicaAssignment(replica);
      this.batch.addLeaderAndIsrRequestForBrokers([replica.replica], partitionOf(replica), state, assignment, true);
    }
    this.move(replica, 'NewReplica');
  }

  private toOnline(replica: PartitionAndReplica): void {
    const assignment = this.context.partitionFullReplicaAssignment(replica);
    if (this.context.replicaState(replica) === 'NewReplica') {
      if (!assignment.replicas.includes(replica.replica)) {
        this.log.error(
          `Adding replica (${replica.replica}) that is not part of the assignment ${assignmentText(assignment)}`,
        );
        const replicas = [...assignment.replicas, replica.replica];
        this.context.updatePartitionFullReplicaAssignment(replica, { ...assignment, replicas });
      }
    } else {
      const state = this.context.partitionLeadershipInfo(replica);
      if (state !== undefined) {
        this.batch.addLeaderAndIsrRequestForBrokers([replica.replica], partitionOf(replica), state, assignment, false);
      }
    }
    this.move(replica, 'OnlineReplica');
  }

  private async toOffline(brokerId: number, replicas: readonly PartitionAndReplica[]): Promise<void> {
    for (const replica of replicas) {
      this.batch.addStopReplicaRequestForBrokers([brokerId], partitionOf(replica), false);
    }
    const isKnown = (replica: PartitionAndReplica): boolean =>
      this.context.partitionLeadershipInfo(replica) !== undefined;
    const known = replicas.filter(isKnown);
    const unknown = replicas.filter((replica) => !isKnown(replica));
    const log = this.stateChangeLogger.withControllerEpoch(this.context.epoch);
    const changed = await this.removeReplicasFromIsr(brokerId, known);
    for (const replica of known) {
      const state = changed.get(keyOf(replica));
      if (state === undefined) continue;
      log.info(
        `Partition ${keyOf(replica)} state changed to ${leaderIsrAndControllerEpochText(state)} after removing replica ` +
          `${brokerId} from the ISR as part of transition to OfflineReplica`,
      );
      if (!this.context.isTopicQueuedUpForDeletion(replica.topic)) {
        const assignment = this.context.partitionFullReplicaAssignment(replica);
        const recipients = assignment.replicas.filter((id) => id !== brokerId);
        this.batch.addLeaderAndIsrRequestForBrokers(recipients, partitionOf(replica), state, assignment, false);
      }
      this.move(replica, 'OfflineReplica');
    }
    for (const replica of unknown) {
      const brokers = this.context.liveOrShuttingDownBrokerIds;
      this.batch.addUpdateMetadataRequestForBrokers(brokers, [partitionOf(replica)]);
      this.move(replica, 'OfflineReplica');
    }
  }

  /** Takes a broker out of the ISRs; read and written again while a leader was quicker. Gives the states by key. */
  private async removeReplicasFromIsr(
    brokerId: number,
    replicas: readonly PartitionAndReplica[],
  ): Promise<Map<string, LeaderIsrAndControllerEpoch>> {
    const results = new Map<string, LeaderIsrAndControllerEpoch>();
    let remaining = replicas;
    while (remaining.length > 0) {
      const { finished, retry } = await this.doRemoveReplicasFromIsr(brokerId, remaining);
      for (const replica of remaining) {
        const result = finished.get(keyOf(replica));
        if (result instanceof Error) {
          this.logFailedStateChange(replica, this.context.replicaState(replica), 'OfflineReplica', result);
        } else if (result !== undefined) {
          const state = { leaderAndIsr: result, controllerEpoch: this.context.epoch };
          this.context.putPartitionLeadershipInfo(replica, state);
          results.set(keyOf(replica), state);
        }
      }
      remaining = remaining.filter((replica) => retry.has(keyOf(replica)));
    }
    return results;
  }

  private async doRemoveReplicasFromIsr(
    brokerId: number,
    replicas: readonly PartitionAndReplica[],
  ): Promise<{ finished: Map<string, LeaderAndIsr | Error>; retry: ReadonlySet<string> }> {
    const finished = new Map<string, LeaderAndIsr | Error>();
    const updates = new Map<string, LeaderAndIsr>();
    const states = await this.store.getTopicPartitionStates(replicas.map(partitionOf));
    for (const replica of replicas) {
      const key = keyOf(replica);
      const state = states.get(key);
      if (state === undefined) {
        if (!this.context.isTopicQueuedUpForDeletion(replica.topic)) {
          const text = `Failed to change state of replica ${brokerId} for partition ${key} since the leader and isr path in zookeeper is empty`;
          finished.set(key, new StateChangeFailedError(text));
        }
      } else if (state.controllerEpoch > this.context.epoch) {
        const text =
          `Leader and isr path written by another controller. This probably means the current controller with epoch ` +
          `${this.context.epoch} went through a soft failure and another controller was elected with epoch ` +
          `${state.controllerEpoch}. Aborting state change by this controller`;
        finished.set(key, new StateChangeFailedError(text));
      } else if (state.leaderAndIsr.isr.includes(brokerId)) {
        updates.set(key, withoutReplica(state.leaderAndIsr, brokerId));
      } else {
        finished.set(key, state.leaderAndIsr);
      }
    }
    if (updates.size === 0) return { finished, retry: new Set() };
    const written = await this.store.updateLeaderAndIsr(updates, this.context.epoch, this.context.epochZkVersion);
    for (const [key, result] of written.finished) finished.set(key, result);
    return { finished, retry: new Set(written.partitionsToRetry) };
  }

  private move(replica: PartitionAndReplica, target: ReplicaState): void {
    const log = this.stateChangeLogger.withControllerEpoch(this.context.epoch);
    if (log.isEnabled('TRACE')) {
      log.trace(
        `Changed state of replica ${replica.replica} for partition ${keyOf(replica)} ` +
          `from ${this.context.replicaState(replica)} to ${target}`,
      );
    }
    this.context.putReplicaState(replica, target);
  }

  private logInvalidTransition(replica: PartitionAndReplica, target: ReplicaState): void {
    const current = this.context.replicaState(replica);
    const text =
      `Replica ${replicaText(replica)} should be in the ${replicaStatesTable[target].join(',')} states before moving to ` +
      `${target} state. Instead it is in ${current} state`;
    this.logFailedStateChange(replica, current, target, new StateChangeFailedError(text));
  }

  private logFailedStateChange(
    replica: PartitionAndReplica,
    current: ReplicaState,
    target: ReplicaState,
    error: Error,
  ): void {
    this.stateChangeLogger
      .withControllerEpoch(this.context.epoch)
      .error(
        `Controller ${this.config.brokerId} epoch ${this.context.epoch} initiated state change of replica ` +
          `${replica.replica} for partition ${keyOf(replica)} from ${current} to ${target} failed`,
        error,
      );
  }
}

/** As Kafka's logs print it. */
export function replicaText({ topic, partition, replica }: PartitionAndReplica): string {
  return `[Topic=${topic},Partition=${partition},Replica=${replica}]`;
}

/** The ISR never becomes empty: its last member stays, also when it no longer leads. */
function withoutReplica(current: LeaderAndIsr, brokerId: number): LeaderAndIsr {
  const leader = current.leader === brokerId ? noLeader : current.leader;
  const isr = current.isr.length === 1 ? current.isr : current.isr.filter((id) => id !== brokerId);
  return nextLeaderAndIsr(current, leader, isr);
}

function partitionOf({ topic, partition }: PartitionAndReplica): TopicPartition {
  return { topic, partition };
}
