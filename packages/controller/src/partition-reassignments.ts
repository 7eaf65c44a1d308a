import type { TopicPartition } from '@klassic/common';
import { inHashOrder, invariant, topicPartitionHash } from '@klassic/common';
import type { LeaderIsrAndControllerEpoch, PlannedReassignment, ReplicaAssignment } from '@klassic/zookeeper';
import { ControllerMovedError } from '@klassic/zookeeper';
import { keyOf } from './controller-context.ts';
import type { PartitionError } from './controller-events.ts';
import type { ControllerParts } from './controller-parts.ts';
import { leaderIsrAndControllerEpochText, nextLeaderAndIsr } from './leader-and-isr.ts';
import { isOperatingError } from './operating-error.ts';
import {
  assignmentOf,
  assignmentText,
  isBeingReassigned,
  originReplicas,
  reassignTo,
  sameAssignment,
  targetReplicas,
  without,
} from './replica-assignment.ts';
import { StateChangeFailedError } from './state-change-failed-error.ts';
import { partitionOfKey } from './topic-changes.ts';

/** A partition that somebody names, whether there is one or not, and its target replicas, or null to cancel. */
export interface ReassignmentRequest {
  readonly partition: TopicPartition;
  readonly target: readonly number[] | null;
}

/** What is to be done for a partition of a request, or why nothing is. */
type Intent = ReplicaAssignment | PartitionError;

const unknownPartition: PartitionError = {
  error: 'UNKNOWN_TOPIC_OR_PARTITION',
  message: 'The partition does not exist.',
};
const nothingToCancel: PartitionError = { error: 'NO_REASSIGNMENT_IN_PROGRESS', message: null };
const noError: PartitionError = { error: 'NONE', message: null };

/**
 * Moves partitions to other brokers (KIP-455): the new replicas are added and catch up beside the old ones; when all
 * are in sync the leader moves if it must, the old replicas are deleted, and the assignment is written without them.
 */
export class PartitionReassignments {
  private readonly parts: ControllerParts;

  constructor(parts: ControllerParts) {
    this.parts = parts;
  }

  /** On election of the controller: what the plan znode asks for, then what was under way by request. */
  async initialize(): Promise<void> {
    const resumed = await this.processZkPartitionReassignment();
    await this.resume((partition) => !resumed.has(keyOf(partition)));
  }

  /** Goes on with the reassignments that wait for these brokers, which have just started. */
  async resumeReassignmentsTo(brokerIds: readonly number[]): Promise<void> {
    await this.resume((_, assignment) => targetReplicas(assignment).some((id) => brokerIds.includes(id)));
  }

  /** Takes up the plan of `/admin/reassign_partitions`. @returns keys of the partitions that are being reassigned by it */
  async processZkPartitionReassignment(): Promise<Set<string>> {
    const { store, watches, log } = this.parts;
    if (!(await watches.watchReassignPartitions())) return new Set();
    const resumed = new Set<string>();
    const failed: { readonly partition: TopicPartition; readonly error: string }[] = [];
    for (const planned of inMapOrder(lastOfEach(await store.getPartitionReassignment()), (each) => each)) {
      const { error } = await this.carryOut(planned, this.buildReassignment(planned, planned.replicas));
      if (error === 'NONE') resumed.add(keyOf(planned));
      else failed.push({ partition: planned, error });
    }
    if (failed.length > 0) {
      const text = failed.map(({ partition, error }) => `${keyOf(partition)} -> ${error}`).join(', ');
      log.warn(`Failed reassignment through zk with the following errors: Map(${text})`);
      await this.removeFromZkReassignment((planned) => failed.some(({ partition }) => isSame(partition, planned)));
    }
    return resumed;
  }

  /** @returns NONE or the error of each partition asked for, in the order of the request */
  async processApiPartitionReassignment(request: readonly ReassignmentRequest[]): Promise<PartitionError[]> {
    const intents = request.map(({ partition, target }): Intent => {
      const invalid = target === null ? undefined : this.validateReplicas(partition, target);
      if (invalid !== undefined) return { error: 'INVALID_REPLICA_ASSIGNMENT', message: invalid };
      return this.buildReassignment(partition, target);
    });
    const accepted = request.filter((_, index) => !('error' in intents[index]!));
    // The latest reassignment takes precedence over the plan in the znode.
    await this.removeFromZkReassignment((planned) => accepted.some(({ partition }) => isSame(partition, planned)));
    const results = request.map((): PartitionError => noError);
    for (const [index, { partition }] of inMapOrder([...request.entries()], ([, each]) => each.partition)) {
      results[index] = await this.carryOut(partition, intents[index]!);
    }
    return results;
  }

  /** The reassignments under way among the given partitions, or all. */
  list(partitions: readonly TopicPartition[] | null): TopicPartition[] {
    const { context } = this.parts;
    return (partitions ?? [...context.partitionsBeingReassigned.values()]).filter((partition) =>
      isBeingReassigned(context.partitionFullReplicaAssignment(partition)),
    );
  }

  /** Ends a reassignment whose new replicas are all in sync. */
  async maybeCompleteReassignment(partition: TopicPartition): Promise<void> {
    const { context, log } = this.parts;
    if (!context.partitionsBeingReassigned.has(keyOf(partition))) return;
    const reassignment = context.partitionFullReplicaAssignment(partition);
    if (!(await this.isComplete(partition, reassignment))) return;
    log.info(
      `Target replicas ArrayBuffer(${targetReplicas(reassignment).join(', ')}) have all caught up with the leader for ` +
        `reassigning partition ${keyOf(partition)}`,
    );
    await this.onPartitionReassignment(partition, reassignment);
  }

  private async resume(
    shouldResume: (partition: TopicPartition, assignment: ReplicaAssignment) => boolean,
  ): Promise<void> {
    const { context } = this.parts;
    for (const partition of [...context.partitionsBeingReassigned.values()]) {
      const assignment = context.partitionFullReplicaAssignment(partition);
      if (shouldResume(partition, assignment)) await this.onPartitionReassignment(partition, assignment);
    }
  }

  private validateReplicas(partition: TopicPartition, replicas: readonly number[]): string | undefined {
    const { context } = this.parts;
    const text = `ArrayBuffer(${replicas.join(', ')})`;
    if (replicas.length === 0) return 'Empty replica list specified in partition reassignment.';
    if (new Set(replicas).size !== replicas.length) {
      return `Duplicate replica ids in partition reassignment replica list: ${text}`;
    }
    if (replicas.some((id) => id < 0)) return `Invalid broker id in replica list: ${text}`;
    const { addingReplicas } = reassignTo(context.partitionFullReplicaAssignment(partition), replicas);
    const live = context.liveBrokerIds;
    if (addingReplicas.every((id) => live.includes(id))) return undefined;
    return (
      `Replica assignment has brokers that are not alive. Replica list: ArrayBuffer(${addingReplicas.join(', ')}), ` +
      `live broker list: Set(${live.join(', ')})`
    );
  }

  /** The assignment to go through; an error when a cancellation finds nothing to cancel. */
  private buildReassignment(partition: TopicPartition, target: readonly number[] | null): Intent {
    const current = this.parts.context.partitionFullReplicaAssignment(partition);
    if (isBeingReassigned(current)) return reassignTo(current, target ?? originReplicas(current));
    return target === null ? nothingToCancel : reassignTo(current, target);
  }

  private async carryOut({ topic, partition }: TopicPartition, intent: Intent): Promise<PartitionError> {
    if ('error' in intent) return intent;
    const { context, log } = this.parts;
    const asked = { topic, partition };
    if (context.isTopicQueuedUpForDeletion(topic)) {
      log.info(`Skipping reassignment of ${keyOf(asked)} since the topic is currently being deleted`);
      return unknownPartition;
    }
    if (context.partitionReplicaAssignment(asked).length === 0) return unknownPartition;
    return this.tryReassign(asked, intent);
  }

  private async tryReassign(partition: TopicPartition, reassignment: ReplicaAssignment): Promise<PartitionError> {
    const { log } = this.parts;
    try {
      await this.onPartitionReassignment(partition, reassignment);
      return noError;
    } catch (error) {
      if (error instanceof ControllerMovedError) {
        log.info(
          `Failed completing reassignment of partition ${keyOf(partition)} because controller has moved to another broker`,
        );
      }
      if (!isOperatingError(error)) throw error;
      log.error(`Error completing reassignment of partition ${keyOf(partition)}`, error);
      return { error: 'UNKNOWN_SERVER_ERROR', message: null };
    }
  }

  private async onPartitionReassignment(partition: TopicPartition, reassignment: ReplicaAssignment): Promise<void> {
    const { context, replicaStateMachine, topicDeletionManager, sendUpdateMetadataRequest } = this.parts;
    topicDeletionManager.markTopicIneligibleForDeletion([partition.topic], 'topic reassignment in progress');
    await this.updateCurrentReassignment(partition, reassignment);
    const { addingReplicas, removingReplicas } = reassignment;
    if (!(await this.isComplete(partition, reassignment))) {
      await this.updateLeaderEpochAndSendRequest(partition, reassignment);
      for (const replica of addingReplicas) {
        await replicaStateMachine.handleStateChanges([{ ...partition, replica }], 'NewReplica');
      }
      return;
    }
    const added = addingReplicas.map((replica) => ({ ...partition, replica }));
    await replicaStateMachine.handleStateChanges(added, 'OnlineReplica');
    const completed = assignmentOf(targetReplicas(reassignment));
    context.updatePartitionFullReplicaAssignment(partition, completed);
    await this.moveLeaderIfRequired(partition, completed);
    await this.stopRemovedReplicas(partition, removingReplicas);
    await this.writeAssignment(partition, completed);
    await this.removeFromReassigningPartitions(partition, completed);
    sendUpdateMetadataRequest(context.liveOrShuttingDownBrokerIds, [partition]);
    await topicDeletionManager.resumeDeletionForTopics([partition.topic]);
  }

  /** Writes a new plan for the partition; replicas that an earlier one was adding and nobody wants any more go at once. */
  private async updateCurrentReassignment(partition: TopicPartition, reassignment: ReplicaAssignment): Promise<void> {
    const { context, watches, log } = this.parts;
    const current = context.partitionFullReplicaAssignment(partition);
    if (!sameAssignment(current, reassignment)) {
      log.debug(
        `Updating assignment of partition ${keyOf(partition)} from ${assignmentText(current)} to ${assignmentText(reassignment)}`,
      );
      await this.writeAssignment(partition, reassignment);
      context.updatePartitionFullReplicaAssignment(partition, reassignment);
      await this.stopRemovedReplicas(partition, without(current.replicas, reassignment.replicas));
    }
    watches.watchPartitionState(partition);
    context.partitionsBeingReassigned.set(keyOf(partition), partition);
  }

  private async isComplete(partition: TopicPartition, assignment: ReplicaAssignment): Promise<boolean> {
    if (!isBeingReassigned(assignment)) return true;
    const state = (await this.parts.store.getTopicPartitionStates([partition])).get(keyOf(partition));
    return state !== undefined && targetReplicas(assignment).every((id) => state.leaderAndIsr.isr.includes(id));
  }

  private async moveLeaderIfRequired(partition: TopicPartition, assignment: ReplicaAssignment): Promise<void> {
    const { context, partitionStateMachine, log } = this.parts;
    const { leader } = context.partitionLeadershipInfo(partition)!.leaderAndIsr;
    const about = `Leader ${leader} for partition ${keyOf(partition)} being reassigned, is`;
    const replicas = assignment.replicas.join(',');
    if (assignment.replicas.includes(leader) && context.isReplicaOnline(leader, partition)) {
      log.info(`${about} already in the new list of replicas ${replicas} and is alive`);
      await this.updateLeaderEpochAndSendRequest(partition, assignment);
      return;
    }
    if (assignment.replicas.includes(leader))
      log.info(`${about} already in the new list of replicas ${replicas} but is dead`);
    else log.info(`${about} not in the new list of replicas ${replicas}. Re-electing leader`);
    await partitionStateMachine.handleStateChanges([partition], 'OnlinePartition', { kind: 'reassign' });
  }

  private async stopRemovedReplicas(partition: TopicPartition, removed: readonly number[]): Promise<void> {
    const { replicaStateMachine } = this.parts;
    const replicas = removed.map((replica) => ({ ...partition, replica }));
    await replicaStateMachine.handleStateChanges(replicas, 'OfflineReplica');
    await replicaStateMachine.handleStateChanges(replicas, 'ReplicaDeletionStarted');
    // The answer to StopReplica is not waited for: a broker that missed it deletes the stray replica when it is back.
    await replicaStateMachine.handleStateChanges(replicas, 'ReplicaDeletionSuccessful');
    await replicaStateMachine.handleStateChanges(replicas, 'NonExistentReplica');
  }

  private async writeAssignment(partition: TopicPartition, assignment: ReplicaAssignment): Promise<void> {
    const { context, store, log } = this.parts;
    const { topic } = partition;
    const all = context.partitionFullReplicaAssignmentForTopic(topic).set(keyOf(partition), assignment);
    const byIndex = new Map([...all].map(([key, replicas]) => [partitionOfKey(key).partition, replicas]));
    await store.setTopicAssignment(topic, context.topicIds.get(topic) ?? null, byIndex, context.epochZkVersion);
    log.info(`Successfully updated assignment of partition ${keyOf(partition)} to ${assignmentText(assignment)}`);
  }

  /** Raises the leader epoch, leader and ISR being as they are, so that the leader learns of the new replicas. */
  private async updateLeaderEpochAndSendRequest(
    partition: TopicPartition,
    assignment: ReplicaAssignment,
  ): Promise<void> {
    const { context, batch, stateChangeLogger } = this.parts;
    const state = await this.updateLeaderEpoch(partition);
    batch.newBatch();
    // Only a new replica may be put into any good log directory when one is offline.
    batch.addLeaderAndIsrRequestForBrokers(originReplicas(assignment), partition, state, assignment, false);
    batch.addLeaderAndIsrRequestForBrokers(assignment.addingReplicas, partition, state, assignment, true);
    batch.sendRequestsToBrokers(context.epoch);
    stateChangeLogger
      .withControllerEpoch(context.epoch)
      .info(
        `Sent LeaderAndIsr request ${leaderIsrAndControllerEpochText(state)} with new replica assignment ` +
          `${assignmentText(assignment)} to leader ${state.leaderAndIsr.leader} for partition being reassigned ${keyOf(partition)}`,
      );
  }

  private async updateLeaderEpoch(partition: TopicPartition): Promise<LeaderIsrAndControllerEpoch> {
    const { context, store, log } = this.parts;
    const key = keyOf(partition);
    log.debug(`Updating leader epoch for partition ${key}`);
    for (;;) {
      const state = (await store.getTopicPartitionStates([partition])).get(key);
      if (state === undefined) {
        throw new StateChangeFailedError(
          `Cannot update leader epoch for partition ${key} as leaderAndIsr path is empty.`,
        );
      }
      if (state.controllerEpoch > context.epoch) {
        throw new StateChangeFailedError(
          `Leader and isr path written by another controller. This probably means the current controller with epoch ` +
            `${context.epoch} went through a soft failure and another controller was elected with epoch ` +
            `${state.controllerEpoch}. Aborting state change by this controller`,
        );
      }
      const { leader, isr } = state.leaderAndIsr;
      const update = new Map([[key, nextLeaderAndIsr(state.leaderAndIsr, leader, isr)]]);
      const written = (await store.updateLeaderAndIsr(update, context.epoch, context.epochZkVersion)).finished.get(key);
      if (written instanceof Error) throw written;
      if (written !== undefined) {
        const updated = { leaderAndIsr: written, controllerEpoch: context.epoch };
        context.putPartitionLeadershipInfo(partition, updated);
        log.info(`Updated leader epoch for partition ${key} to ${written.leaderEpoch}, zkVersion=${written.zkVersion}`);
        return updated;
      }
    }
  }

  private async removeFromReassigningPartitions(
    partition: TopicPartition,
    assignment: ReplicaAssignment,
  ): Promise<void> {
    const { context, watches } = this.parts;
    invariant(context.partitionsBeingReassigned.has(keyOf(partition)), 'a finished reassignment was under way');
    watches.unwatchPartitionState(partition);
    await this.removeFromZkReassignment(
      (planned) => isSame(planned, partition) && planned.replicas.join() === assignment.replicas.join(),
    );
    context.partitionsBeingReassigned.delete(keyOf(partition));
  }

  private async removeFromZkReassignment(isToRemove: (planned: PlannedReassignment) => boolean): Promise<void> {
    const { context, store, log, putEvent } = this.parts;
    if (!(await store.reassignPartitionsInProgress())) return;
    const plan = await store.getPartitionReassignment();
    const removed = plan.filter(isToRemove);
    const rest = plan.filter((planned) => !isToRemove(planned));
    const text = removed.map((planned) => `${keyOf(planned)} -> Buffer(${planned.replicas.join(', ')})`).join(', ');
    log.info(`Removing partitions Map(${text}) from the list of reassigned partitions in zookeeper`);
    if (rest.length > 0) {
      await store.setOrCreatePartitionReassignment(rest, context.epochZkVersion);
      return;
    }
    log.info('No more partitions need to be reassigned. Deleting zk path /admin/reassign_partitions');
    await store.deletePartitionReassignment(context.epochZkVersion);
    // The watch on the znode is set anew by this event.
    putEvent({ kind: 'ZkPartitionReassignment' });
  }
}

/** The plan without what a later entry for the same partition has replaced. */
function lastOfEach(plan: readonly PlannedReassignment[]): PlannedReassignment[] {
  return [...new Map(plan.map((planned) => [`${planned.partition} ${planned.topic}`, planned])).values()];
}

/** The order in which the original begins reassignments: that of a hash map by partition. */
function inMapOrder<T>(items: readonly T[], partitionOf: (item: T) => TopicPartition): T[] {
  return inHashOrder(items, (item) => {
    const { topic, partition } = partitionOf(item);
    return topicPartitionHash(topic, partition);
  });
}

/** Names that somebody sent are compared part by part: partition -1 of `t` and partition 1 of `t-` have the same text. */
function isSame(one: TopicPartition, other: TopicPartition): boolean {
  return one.topic === other.topic && one.partition === other.partition;
}
