import type { Logger } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { GroupMetadataManager } from './group-metadata-manager.ts';
import type { GroupMetadata } from './group-metadata.ts';
import type { SyncGroupParameters, SyncGroupResult } from './messages.ts';
import type { Rebalances } from './rebalances.ts';
import { failedSync } from './results.ts';
import { setOf } from './scala-text.ts';

const noAssignment = Buffer.alloc(0);

/** Hands out what the leader assigns: what becomes of a SyncGroup request. */
export class GroupSyncs {
  private readonly manager: GroupMetadataManager;
  private readonly rebalances: Rebalances;
  private readonly logger: Logger;

  constructor(manager: GroupMetadataManager, rebalances: Rebalances, logger: Logger) {
    this.manager = manager;
    this.rebalances = rebalances;
    this.logger = logger;
  }

  /** @param answer called once, at once or when the leader has assigned */
  sync(group: GroupMetadata, parameters: SyncGroupParameters, answer: (result: SyncGroupResult) => void): void {
    const { memberId, groupInstanceId, generationId, protocolType, protocolName } = parameters;
    const member = group.find(memberId);
    if (group.is('Dead')) {
      answer(failedSync(Errors.COORDINATOR_NOT_AVAILABLE));
    } else if (group.isStaticMemberFenced(memberId, groupInstanceId, 'sync-group')) {
      answer(failedSync(Errors.FENCED_INSTANCE_ID));
    } else if (member === undefined || group.is('Empty')) {
      answer(failedSync(Errors.UNKNOWN_MEMBER_ID));
    } else if (generationId !== group.generationId) {
      answer(failedSync(Errors.ILLEGAL_GENERATION));
    } else if (
      (protocolType !== null && protocolType !== group.protocolType) ||
      (protocolName !== null && protocolName !== group.protocolName)
    ) {
      answer(failedSync(Errors.INCONSISTENT_GROUP_PROTOCOL));
    } else if (group.is('PreparingRebalance')) {
      answer(failedSync(Errors.REBALANCE_IN_PROGRESS));
    } else if (group.is('Stable')) {
      this.rebalances.removePendingSyncMember(group, memberId);
      const { assignment } = member;
      answer({ error: Errors.NONE, protocolType: group.protocolType, protocolName: group.protocolName, assignment });
      this.rebalances.expirations.heartbeat(group, member);
    } else {
      member.awaitingSync = answer;
      this.rebalances.removePendingSyncMember(group, memberId);
      if (group.isLeader(memberId)) void this.assign(group, memberId, parameters.assignments);
    }
  }

  /** Stores the leader's assignment; when it is safe everybody gets theirs. */
  private async assign(group: GroupMetadata, leaderId: string, received: ReadonlyMap<string, Buffer>): Promise<void> {
    const { groupId, generationId } = group;
    this.logger.info(
      `Assignment received from leader for group ${groupId} for generation ${generationId}. The group has ` +
        `${group.size} members, ${group.staticMemberCount} of which are static.`,
    );
    const assignments = new Map(received);
    const missing = group.allMembers.map(({ memberId }) => memberId).filter((memberId) => !received.has(memberId));
    for (const memberId of missing) assignments.set(memberId, noAssignment);
    if (missing.length > 0) {
      this.logger.warn(
        `Setting empty assignments for members ${setOf(missing)} of ${groupId} for generation ${generationId}`,
      );
    }
    const error = await this.manager.store.storeGroup(group, assignments);
    // A member may have joined or left meanwhile: then the next generation is on its way.
    if (!group.is('CompletingRebalance') || group.generationId !== generationId) return;
    if (error === Errors.NONE) {
      this.rebalances.completeAssignment(group, assignments);
    } else {
      this.rebalances.failAssignment(group, error);
      this.rebalances.maybePrepareRebalance(
        group,
        `error when storing group assignment during SyncGroup (member: ${leaderId})`,
      );
    }
  }
}
