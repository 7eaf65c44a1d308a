import type { Logger, Time } from '@klassic/common';
import type { GroupMetadata } from './group-metadata.ts';
import type { MemberMetadata } from './member-metadata.ts';

/** How long the JoinGroup of a new member may wait (ms): it cannot send heartbeats before it is answered. */
const newMemberJoinTimeoutMs = 5 * 60 * 1000;

/** What becomes of those whose time is over. */
export interface ExpirationHandler {
  readonly onMemberExpired: (group: GroupMetadata, member: MemberMetadata) => void;
  readonly onPendingMemberExpired: (group: GroupMetadata, memberId: string) => void;
}

/**
 * The session timeouts of members and of those who were given a member id and have not come back with it.
 * Counterpart of `kafka.coordinator.group.DelayedHeartbeat` and its purgatory.
 */
export class MemberExpirations {
  private readonly time: Time;
  private readonly logger: Logger;
  private readonly handler: ExpirationHandler;

  constructor(time: Time, logger: Logger, handler: ExpirationHandler) {
    this.time = time;
    this.logger = logger;
    this.handler = handler;
  }

  /** The member has been heard of: its session begins anew. */
  heartbeat(group: GroupMetadata, member: MemberMetadata): void {
    this.schedule(group, member, member.sessionTimeoutMs);
  }

  /** A new member waits for its first join. */
  newMember(group: GroupMetadata, member: MemberMetadata): void {
    this.schedule(group, member, newMemberJoinTimeoutMs);
  }

  pendingMember(group: GroupMetadata, memberId: string, timeoutMs: number): void {
    const cancel = this.time.schedule(timeoutMs, () => {
      if (group.is('Dead')) {
        this.logExpirationOfDeadGroup(group, memberId);
        return;
      }
      this.logger.info(
        `Pending member ${memberId} in group ${group.groupId} has been removed after session timeout expiration.`,
      );
      this.handler.onPendingMemberExpired(group, memberId);
    });
    group.pendingMembers.set(memberId, cancel);
  }

  /** Forgets every timer of a group that is unloaded. */
  cancelAll(group: GroupMetadata): void {
    for (const member of group.allMembers) member.cancelExpiration?.();
    for (const memberId of [...group.pendingMembers.keys()]) group.removePendingMember(memberId);
  }

  private schedule(group: GroupMetadata, member: MemberMetadata, timeoutMs: number): void {
    member.cancelExpiration?.();
    // The timer is set again when the waiting request is answered.
    if (member.isHeldAlive) return;
    member.cancelExpiration = this.time.schedule(timeoutMs, () => {
      if (group.is('Dead')) {
        this.logExpirationOfDeadGroup(group, member.memberId);
      } else if (group.find(member.memberId) === member && !member.isHeldAlive) {
        this.logger.info(`Member ${member.memberId} in group ${group.groupId} has failed, removing it from the group`);
        this.handler.onMemberExpired(group, member);
      }
    });
  }

  private logExpirationOfDeadGroup(group: GroupMetadata, memberId: string): void {
    this.logger.info(
      `Received notification of heartbeat expiration for member ${memberId} after group ${group.groupId} had already ` +
        'been unloaded or deleted.',
    );
  }
}
