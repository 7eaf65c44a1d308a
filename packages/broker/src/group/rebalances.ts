import type { Logger, Time } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';
import { DelayedJoin } from './delayed-join.ts';
import type { GroupConfig } from './group-config.ts';
import type { GroupMetadataManager } from './group-metadata-manager.ts';
import type { GroupMetadata } from './group-metadata.ts';
import { groupMetadataTopic } from './group-records.ts';
import { MemberExpirations } from './member-expirations.ts';
import type { MemberMetadata } from './member-metadata.ts';
import { failedJoin, failedSync } from './results.ts';
import { setOf } from './scala-text.ts';

const noAssignment = Buffer.alloc(0);

export interface RebalancesOptions {
  readonly config: GroupConfig;
  readonly manager: GroupMetadataManager;
  readonly time: Time;
  readonly logger: Logger;
}

/**
 * Takes groups from one generation to the next: the join phase, the sync phase, and what begins a rebalance.
 * Counterpart of the private half of `kafka.coordinator.group.GroupCoordinator`.
 */
export class Rebalances {
  readonly expirations: MemberExpirations;
  private readonly config: GroupConfig;
  private readonly manager: GroupMetadataManager;
  private readonly time: Time;
  private readonly logger: Logger;

  constructor({ config, manager, time, logger }: RebalancesOptions) {
    this.config = config;
    this.manager = manager;
    this.time = time;
    this.logger = logger;
    this.expirations = new MemberExpirations(time, logger, {
      onMemberExpired: (group, member) => {
        this.removeMember(group, member, `removing member ${member.memberId} on heartbeat expiration`);
      },
      onPendingMemberExpired: (group, memberId) => {
        this.removePendingMember(group, memberId);
      },
    });
  }

  /** Begins a rebalance, unless one is under way. */
  maybePrepareRebalance(group: GroupMetadata, reason: string): void {
    if (group.canRebalance) this.prepareRebalance(group, reason);
  }

  /** Asks everybody to join again: whoever waits for an assignment is told to, the others learn it by their heartbeats. */
  prepareRebalance(group: GroupMetadata, reason: string): void {
    if (group.is('CompletingRebalance')) this.failAssignment(group, Errors.REBALANCE_IN_PROGRESS);
    this.cancelPendingSync(group);
    const wasEmpty = group.is('Empty');
    group.transitionTo('PreparingRebalance');
    this.logger.info(
      `Preparing to rebalance group ${group.groupId} in state ${group.currentState} with old generation ` +
        `${group.generationId} (${this.partitionName(group)}) (reason: ${reason})`,
    );
    const onComplete = (): void => {
      this.completeJoin(group);
    };
    const { rebalanceTimeoutMs } = group;
    const { initialRebalanceDelayMs: delayMs } = this.config;
    group.delayedJoin = wasEmpty
      ? DelayedJoin.initial(group, this.time, delayMs, Math.max(rebalanceTimeoutMs - delayMs, 0), onComplete)
      : DelayedJoin.rebalance(group, this.time, rebalanceTimeoutMs, onComplete);
    this.tryCompleteJoin(group);
  }

  /** Ends the join phase if nobody is waited for any more. */
  tryCompleteJoin(group: GroupMetadata): void {
    if (group.is('PreparingRebalance')) group.delayedJoin?.tryComplete();
  }

  /** Removes a member that left or failed. */
  removeMember(group: GroupMetadata, member: MemberMetadata, reason: string): void {
    // A new member may be removed while its JoinGroup waits: it will try again if it is still there.
    group.answerJoin(member, failedJoin('', Errors.UNKNOWN_MEMBER_ID));
    // The reference leaves a waiting SyncGroup of a member that leaves without an answer; its connection would hang.
    group.answerSync(member, failedSync(Errors.UNKNOWN_MEMBER_ID));
    group.remove(member.memberId);
    if (group.is('Stable') || group.is('CompletingRebalance')) this.maybePrepareRebalance(group, reason);
    else this.tryCompleteJoin(group);
  }

  /** Forgets a member id that was given out and not used, or is given back. */
  removePendingMember(group: GroupMetadata, memberId: string): void {
    group.removePendingMember(memberId);
    this.tryCompleteJoin(group);
  }

  /** A member of this generation has asked for its assignment. */
  removePendingSyncMember(group: GroupMetadata, memberId: string): void {
    group.pendingSyncMembers.delete(memberId);
    if (group.pendingSyncMembers.size === 0) this.cancelPendingSync(group);
  }

  /** Hands everybody what the leader has assigned; the group is stable. */
  completeAssignment(group: GroupMetadata, assignments: ReadonlyMap<string, Buffer>): void {
    for (const member of group.allMembers) member.assignment = assignments.get(member.memberId) ?? noAssignment;
    this.propagateAssignment(group, Errors.NONE);
    group.transitionTo('Stable');
  }

  /** Tells everybody who waits for an assignment that there is none. */
  failAssignment(group: GroupMetadata, error: ErrorEntry): void {
    for (const member of group.allMembers) member.assignment = noAssignment;
    this.propagateAssignment(group, error);
  }

  /** A group was read from the log: its members have a session's time to be heard of. */
  onGroupLoaded(group: GroupMetadata): void {
    this.logger.info(`Loading group metadata for ${group.groupId} with generation ${group.generationId}`);
    if (group.size > this.config.maxSize) {
      this.maybePrepareRebalance(
        group,
        `Freshly-loaded group is over capacity (${this.config.maxSize}). Rebalancing in order to give a chance for ` +
          'consumers to commit offsets',
      );
    }
    for (const member of group.allMembers) this.expirations.heartbeat(group, member);
  }

  /** A group moves to another coordinator: whoever waits here is sent there. */
  onGroupUnloaded(group: GroupMetadata): void {
    this.logger.info(`Unloading group metadata for ${group.groupId} with generation ${group.generationId}`);
    group.transitionTo('Dead');
    for (const member of group.allMembers) {
      group.answerJoin(member, failedJoin(member.memberId, Errors.NOT_COORDINATOR));
      group.answerSync(member, failedSync(Errors.NOT_COORDINATOR));
    }
    this.cancelTimers(group);
  }

  /** Takes back every timer of a group. */
  cancelTimers(group: GroupMetadata): void {
    this.expirations.cancelAll(group);
    this.cancelPendingSync(group);
    group.delayedJoin?.cancel();
    group.delayedJoin = undefined;
  }

  private completeJoin(group: GroupMetadata): void {
    this.removeMembersThatDidNotJoin(group);
    if (group.is('Dead')) {
      this.logger.info(`Group ${group.groupId} is dead, skipping rebalance stage`);
      return;
    }
    if (!group.maybeElectNewJoinedLeader() && group.size > 0) {
      // Static members may be late: their sessions decide whether there is anybody left.
      this.logger.error(`Group ${group.groupId} could not complete rebalance because no members rejoined`);
      group.delayedJoin = DelayedJoin.rebalance(group, this.time, group.rebalanceTimeoutMs, () => {
        this.completeJoin(group);
      });
      return;
    }
    group.delayedJoin = undefined;
    group.initNextGeneration();
    if (group.is('Empty')) this.storeEmptyGroup(group);
    else this.answerJoins(group);
  }

  /** Static members may take their session's time to come back; the others are gone. */
  private removeMembersThatDidNotJoin(group: GroupMetadata): void {
    const missing = group.notYetRejoinedMembers.filter((member) => !member.isStatic);
    if (missing.length === 0) return;
    const ids = setOf(missing.map(({ memberId }) => memberId));
    this.logger.info(`Group ${group.groupId} removed dynamic members who haven't joined: ${ids}`);
    for (const { memberId } of missing) group.remove(memberId);
  }

  private storeEmptyGroup(group: GroupMetadata): void {
    this.logger.info(
      `Group ${group.groupId} with generation ${group.generationId} is now empty (${this.partitionName(group)})`,
    );
    void this.manager.store.storeGroup(group, new Map()).then((error) => {
      if (error === Errors.NONE) return;
      // Should this broker fail now, the previous generation comes back to life, and times out again.
      this.logger.warn(`Failed to write empty metadata for group ${group.groupId}: ${error.message}`);
    });
  }

  private answerJoins(group: GroupMetadata): void {
    this.logger.info(
      `Stabilized group ${group.groupId} generation ${group.generationId} (${this.partitionName(group)}) with ` +
        `${group.size} members`,
    );
    for (const member of group.allMembers) {
      group.answerJoin(member, group.joinResult(member.memberId));
      this.expirations.heartbeat(group, member);
      member.isNew = false;
      group.pendingSyncMembers.add(member.memberId);
    }
    const { generationId } = group;
    group.cancelPendingSync = this.time.schedule(group.rebalanceTimeoutMs, () => {
      if (group.generationId === generationId) this.expirePendingSync(group);
    });
  }

  /** Members that have joined and do not ask for their assignment hold nobody up: they are out. */
  private expirePendingSync(group: GroupMetadata): void {
    const missing = [...group.pendingSyncMembers];
    if (missing.length === 0) return;
    for (const memberId of missing) group.remove(memberId);
    this.logger.debug(`Group ${group.groupId} removed members who haven't sent their sync request: ${setOf(missing)}`);
    this.prepareRebalance(group, `Removing ${setOf(missing)} on pending sync request expiration`);
  }

  private cancelPendingSync(group: GroupMetadata): void {
    group.pendingSyncMembers.clear();
    group.cancelPendingSync?.();
    group.cancelPendingSync = undefined;
  }

  private propagateAssignment(group: GroupMetadata, error: ErrorEntry): void {
    for (const member of group.allMembers) {
      if (error === Errors.NONE && member.assignment.length === 0) {
        this.logger.warn(
          `Sending empty assignment to member ${member.memberId} of ${group.groupId} for generation ` +
            `${group.generationId} with no errors`,
        );
      }
      const result =
        error === Errors.NONE
          ? { error, protocolType: group.protocolType, protocolName: group.protocolName, assignment: member.assignment }
          : failedSync(error);
      // Its session stood still while the request waited.
      if (group.answerSync(member, result)) this.expirations.heartbeat(group, member);
    }
  }

  private partitionName(group: GroupMetadata): string {
    return `${groupMetadataTopic}-${this.manager.partitionFor(group.groupId)}`;
  }
}
