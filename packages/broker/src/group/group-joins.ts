import { invariant } from '@klassic/common';
import type { Logger, Random } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { GroupConfig } from './group-config.ts';
import type { GroupMetadataManager } from './group-metadata-manager.ts';
import type { GroupMetadata } from './group-metadata.ts';
import { generateMemberId } from './member-id.ts';
import { MemberMetadata } from './member-metadata.ts';
import type { JoinGroupParameters, JoinGroupResult } from './messages.ts';
import type { Rebalances } from './rebalances.ts';
import { failedJoin } from './results.ts';
import { option } from './scala-text.ts';

type Answer = (result: JoinGroupResult) => void;

export interface GroupJoinsOptions {
  readonly config: GroupConfig;
  readonly manager: GroupMetadataManager;
  readonly rebalances: Rebalances;
  readonly random: Random;
  readonly logger: Logger;
}

/** Takes members into groups: what becomes of a JoinGroup request. */
export class GroupJoins {
  private readonly config: GroupConfig;
  private readonly manager: GroupMetadataManager;
  private readonly rebalances: Rebalances;
  private readonly random: Random;
  private readonly logger: Logger;

  constructor({ config, manager, rebalances, random, logger }: GroupJoinsOptions) {
    this.config = config;
    this.manager = manager;
    this.rebalances = rebalances;
    this.random = random;
    this.logger = logger;
  }

  /** @param answer called once, at once or when the rebalance is over */
  join(group: GroupMetadata, parameters: JoinGroupParameters, answer: Answer): void {
    const { memberId, protocolType, protocols } = parameters;
    if (!this.hasRoomFor(group, memberId)) {
      group.remove(memberId);
      answer(failedJoin('', Errors.GROUP_MAX_SIZE_REACHED));
    } else if (group.is('Dead')) {
      // It has just been deleted, or has moved: the member looks for its coordinator again.
      answer(failedJoin(memberId, Errors.COORDINATOR_NOT_AVAILABLE));
    } else if (!group.supportsProtocols(protocolType, protocols)) {
      answer(failedJoin(memberId, Errors.INCONSISTENT_GROUP_PROTOCOL));
    } else if (memberId === '') {
      this.joinUnknown(group, parameters, answer);
    } else {
      this.joinKnown(group, parameters, answer);
    }
    this.rebalances.tryCompleteJoin(group);
  }

  /** `group.max.size`: who is in stays in; while members join again it is first come, first served. */
  private hasRoomFor(group: GroupMetadata, memberId: string): boolean {
    switch (group.currentState) {
      case 'Empty':
      case 'Dead':
        return true;
      case 'PreparingRebalance':
        return group.find(memberId)?.isAwaitingJoin === true || group.numAwaitingJoin < this.config.maxSize;
      case 'CompletingRebalance':
      case 'Stable':
        return group.has(memberId) || group.size < this.config.maxSize;
    }
  }

  /** A member without an id: new, or a static one that has restarted. */
  private joinUnknown(group: GroupMetadata, parameters: JoinGroupParameters, answer: Answer): void {
    const { groupInstanceId, requireKnownMemberId, clientId, sessionTimeoutMs } = parameters;
    const memberId = generateMemberId(this.random, clientId, groupInstanceId);
    const state = group.currentState;
    const oldMemberId = group.staticMemberId(groupInstanceId);
    if (groupInstanceId !== null && oldMemberId !== undefined) {
      this.replaceStaticMember(group, groupInstanceId, oldMemberId, memberId, parameters, answer);
    } else if (requireKnownMemberId) {
      this.logger.debug(
        `Dynamic member with unknown member id joins group ${group.groupId} in ${state} state. Created a new member id ` +
          `${memberId} and request the member to rejoin with this id.`,
      );
      this.rebalances.expirations.pendingMember(group, memberId, sessionTimeoutMs);
      answer(failedJoin(memberId, Errors.MEMBER_ID_REQUIRED));
    } else {
      this.logger.info(
        `${groupInstanceId === null ? 'Dynamic' : 'Static'} Member with unknown member id joins group ` +
          `${group.groupId} in ${state} state. Created a new member id ${memberId} for this member and add to the group.`,
      );
      this.addMember(group, memberId, parameters, answer);
    }
  }

  /** A member that has an id: one that was just given it, one of this generation, or one from elsewhere. */
  private joinKnown(group: GroupMetadata, parameters: JoinGroupParameters, answer: Answer): void {
    const { memberId, groupInstanceId } = parameters;
    if (group.isPendingMember(memberId) && groupInstanceId === null) {
      this.logger.debug(
        `Dynamic Member with specific member id ${memberId} joins group ${group.groupId} in ${group.currentState} ` +
          'state. Adding to the group now.',
      );
      this.addMember(group, memberId, parameters, answer);
      return;
    }
    if (group.isStaticMemberFenced(memberId, groupInstanceId, 'join-group')) {
      answer(failedJoin(memberId, Errors.FENCED_INSTANCE_ID));
      return;
    }
    const member = group.find(memberId);
    const isUnknownInstance = groupInstanceId !== null && group.staticMemberId(groupInstanceId) === undefined;
    if (member === undefined || isUnknownInstance) answer(failedJoin(memberId, Errors.UNKNOWN_MEMBER_ID));
    else this.rejoin(group, member, parameters, answer);
  }

  private rejoin(
    group: GroupMetadata,
    member: MemberMetadata,
    { protocols }: JoinGroupParameters,
    answer: Answer,
  ): void {
    const { memberId } = member;
    const rebalance = (reason: string): void => {
      group.updateMember(member, protocols, answer);
      this.rebalances.maybePrepareRebalance(group, reason);
    };
    switch (group.currentState) {
      case 'PreparingRebalance':
        rebalance(`Member ${memberId} joining group during ${group.currentState}`);
        return;
      case 'CompletingRebalance':
        // With the same metadata as before it has only missed the answer.
        if (member.matches(protocols)) answer(group.joinResult(memberId));
        else rebalance(`Updating metadata for member ${memberId} during ${group.currentState}`);
        return;
      case 'Stable':
        // The leader may know of something that the metadata does not show, such as new partitions.
        if (group.isLeader(memberId)) rebalance(`leader ${memberId} re-joining group during ${group.currentState}`);
        else if (member.matches(protocols)) answer(group.joinResult(memberId));
        else rebalance(`Updating metadata for member ${memberId} during ${group.currentState}`);
        return;
      case 'Empty':
      case 'Dead':
        this.logger.warn(
          `Attempt to add rejoining member ${memberId} of group ${group.groupId} in unexpected group state ` +
            group.currentState,
        );
        answer(failedJoin(memberId, Errors.UNKNOWN_MEMBER_ID));
    }
  }

  private addMember(group: GroupMetadata, memberId: string, parameters: JoinGroupParameters, answer: Answer): void {
    const { groupInstanceId } = parameters;
    const member = new MemberMetadata({ ...parameters, memberId });
    member.isNew = true;
    // Others may be on their way to the first generation too.
    if (group.is('PreparingRebalance') && group.generationId === 0) group.newMemberAdded = true;
    group.removePendingMember(memberId);
    group.add(member, answer);
    this.rebalances.expirations.newMember(group, member);
    if (member.isStatic) {
      this.logger.info(
        `Adding new static member ${option(groupInstanceId)} to group ${group.groupId} with member id ${memberId}.`,
      );
    }
    this.rebalances.maybePrepareRebalance(
      group,
      `Adding new member ${memberId} with group instance id ${option(groupInstanceId)}`,
    );
  }

  /** A static member has restarted: it takes its old place, without a rebalance where that is possible (KIP-345). */
  private replaceStaticMember(
    group: GroupMetadata,
    groupInstanceId: string,
    oldMemberId: string,
    newMemberId: string,
    { protocols }: JoinGroupParameters,
    answer: Answer,
  ): void {
    this.logger.info(
      `Static member ${option(groupInstanceId)} of group ${group.groupId} with unknown member id rejoins, assigning new ` +
        `member id ${newMemberId}, while old member id ${oldMemberId} will be removed.`,
    );
    const leaderBefore = group.leaderId ?? '';
    const member = group.replaceStaticMember(groupInstanceId, oldMemberId, newMemberId);
    this.rebalances.expirations.heartbeat(group, member);
    const oldProtocols = member.protocols;
    group.updateMember(member, protocols, answer);
    switch (group.currentState) {
      case 'Stable':
        if (group.selectProtocol() !== group.protocolName) {
          this.rebalances.maybePrepareRebalance(
            group,
            `Group's selectedProtocol will change because static member ${newMemberId} with instance id ` +
              `${option(groupInstanceId)} joined with change of protocol`,
          );
          return;
        }
        this.logger.info(
          "Static member which joins during Stable stage and doesn't affect selectProtocol will not trigger rebalance.",
        );
        void this.storeReplacement(group, member, oldMemberId, leaderBefore, oldProtocols);
        return;
      case 'CompletingRebalance':
        // The leader may be assigning to the old id at this moment.
        this.rebalances.prepareRebalance(
          group,
          `Updating metadata for static member ${newMemberId} with instance id ${option(groupInstanceId)}`,
        );
        return;
      case 'PreparingRebalance':
        return;
      case 'Empty':
      case 'Dead':
        invariant(false, `Group ${group.groupId} has static members in the state ${group.currentState}`);
    }
  }

  /** Stores the new id; only then is the member answered. */
  private async storeReplacement(
    group: GroupMetadata,
    member: MemberMetadata,
    oldMemberId: string,
    leaderBefore: string,
    oldProtocols: MemberMetadata['protocols'],
  ): Promise<void> {
    const { memberId, groupInstanceId } = member;
    const assignments = new Map(group.allMembers.map((each) => [each.memberId, each.assignment]));
    const { generationId, protocolType, protocolName } = group;
    const error = await this.manager.store.storeGroup(group, assignments);
    // Meanwhile the group may have gone on without it, or another process have taken its place.
    if (group.find(memberId) !== member || group.generationId !== generationId || !group.is('Stable')) return;
    if (error === Errors.NONE) {
      // Told of the leader of before, a leader that came back does not take itself for one: nobody waits for its assignment.
      const result = { error, memberId, generationId, protocolType, protocolName, leaderId: leaderBefore, members: [] };
      group.answerJoin(member, result);
      this.rebalances.expirations.heartbeat(group, member);
      return;
    }
    this.logger.warn(`Failed to persist metadata for group ${group.groupId}: ${error.message}`);
    group.answerJoin(member, {
      ...failedJoin('', error),
      generationId,
      protocolType,
      protocolName,
      leaderId: leaderBefore,
    });
    group.updateMember(member, oldProtocols, undefined);
    if (groupInstanceId !== null) group.replaceStaticMember(groupInstanceId, memberId, oldMemberId);
    this.rebalances.expirations.heartbeat(group, member);
  }
}
