import { invariant } from '@klassic/common';
import type { Cancel, Logger, Time } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { GroupMetadataValueInit } from '@klassic/protocol';
import type { DelayedJoin } from './delayed-join.ts';
import { GroupOffsets } from './group-offsets.ts';
import type { CommittedOffset } from './group-offsets.ts';
import { validPreviousStates } from './group-state.ts';
import type { GroupState } from './group-state.ts';
import type { MemberMetadata } from './member-metadata.ts';
import type { GroupOverview, GroupSummary, JoinGroupResult, MemberProtocol, SyncGroupResult } from './messages.ts';
import { failedJoin, failedSync } from './results.ts';
import { option } from './scala-text.ts';
import { consumerProtocolType, subscribedTopics } from './subscriptions.ts';

/** One group: its state, members, protocol and offsets. Counterpart of `kafka.coordinator.group.GroupMetadata`. */
export class GroupMetadata {
  readonly groupId: string;
  readonly offsets = new GroupOffsets();
  protocolType: string | null = null;
  protocolName: string | null = null;
  generationId = 0;
  /** Member id of the leader; null in a group without members. */
  leaderId: string | null = null;
  /** ms since 1970 of the last change of state; -1 where an old record did not tell. */
  currentStateTimestamp: number;
  /** Set while members come to the very first generation: its delay may be extended. */
  newMemberAdded = false;
  /** The end of the join phase, while there is one. */
  delayedJoin: DelayedJoin | undefined;
  /** Takes back the time limit of the sync phase. */
  cancelPendingSync: Cancel | undefined;
  /** Members of this generation that have not asked for their assignment. */
  readonly pendingSyncMembers = new Set<string>();
  /** Ids given to members that have not come back with them yet (KIP-394), each with its time limit. */
  readonly pendingMembers = new Map<string, Cancel>();
  private state: GroupState;
  private readonly time: Time;
  private readonly logger: Logger;
  private readonly members = new Map<string, MemberMetadata>();
  /** Member id by instance id. */
  private readonly staticMembers = new Map<string, string>();
  /** How many members support each protocol. */
  private readonly supportedProtocols = new Map<string, number>();
  private awaitingJoinCount = 0;
  private topics: ReadonlySet<string> | undefined;

  constructor(groupId: string, initialState: GroupState, time: Time, logger: Logger) {
    this.groupId = groupId;
    this.state = initialState;
    this.time = time;
    this.logger = logger;
    this.currentStateTimestamp = time.milliseconds();
  }

  get currentState(): GroupState {
    return this.state;
  }

  is(state: GroupState): boolean {
    return this.state === state;
  }

  get size(): number {
    return this.members.size;
  }

  get allMembers(): MemberMetadata[] {
    return [...this.members.values()];
  }

  get staticMemberCount(): number {
    return this.staticMembers.size;
  }

  get numAwaitingJoin(): number {
    return this.awaitingJoinCount;
  }

  has(memberId: string): boolean {
    return this.members.has(memberId);
  }

  find(memberId: string): MemberMetadata | undefined {
    return this.members.get(memberId);
  }

  get(memberId: string): MemberMetadata {
    const member = this.members.get(memberId);
    invariant(member !== undefined, () => `${memberId} is not a member of group ${this.groupId}`);
    return member;
  }

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId;
  }

  isPendingMember(memberId: string): boolean {
    return this.pendingMembers.has(memberId) && !this.has(memberId);
  }

  removePendingMember(memberId: string): void {
    this.pendingMembers.get(memberId)?.();
    this.pendingMembers.delete(memberId);
  }

  /** The member id behind an instance id, if the group knows the instance. */
  staticMemberId(groupInstanceId: string | null): string | undefined {
    return groupInstanceId === null ? undefined : this.staticMembers.get(groupInstanceId);
  }

  /** Whether another process has taken over the instance id that a request comes with (KIP-345). */
  isStaticMemberFenced(memberId: string, groupInstanceId: string | null, operation: string): boolean {
    const expected = this.staticMemberId(groupInstanceId);
    if (expected === undefined || expected === memberId) return false;
    this.logger.error(
      `given member.id ${memberId} is identified as a known static member ${groupInstanceId}, but not matching the ` +
        `expected member.id ${expected} during ${operation}, will respond with instance fenced error`,
    );
    return true;
  }

  /** @param awaitingJoin answers the member's JoinGroup request; undefined for a member from the log */
  add(member: MemberMetadata, awaitingJoin?: (result: JoinGroupResult) => void): void {
    if (this.members.size === 0) this.protocolType = member.protocolType;
    invariant(this.protocolType === member.protocolType, 'all members of a group are of one protocol type');
    this.leaderId ??= member.memberId;
    this.members.set(member.memberId, member);
    this.countProtocols(member.protocols, 1);
    if (member.groupInstanceId !== null) this.staticMembers.set(member.groupInstanceId, member.memberId);
    member.awaitingJoin = awaitingJoin;
    if (member.isAwaitingJoin) this.awaitingJoinCount += 1;
  }

  /** Forgets a member. Whoever of its requests waits is answered before, by the caller. */
  remove(memberId: string): void {
    const member = this.members.get(memberId);
    if (member !== undefined) {
      this.members.delete(memberId);
      this.countProtocols(member.protocols, -1);
      if (member.isAwaitingJoin) this.awaitingJoinCount -= 1;
      if (member.groupInstanceId !== null) this.staticMembers.delete(member.groupInstanceId);
      member.cancelExpiration?.();
    }
    if (this.isLeader(memberId)) this.leaderId = this.members.keys().next().value ?? null;
    this.pendingSyncMembers.delete(memberId);
  }

  /** A member joins again, or (without `awaitingJoin`) gets back the protocols it had. */
  updateMember(
    member: MemberMetadata,
    protocols: readonly MemberProtocol[],
    awaitingJoin: ((result: JoinGroupResult) => void) | undefined,
  ): void {
    this.countProtocols(member.protocols, -1);
    this.countProtocols(protocols, 1);
    member.protocols = protocols;
    this.awaitingJoinCount += Number(awaitingJoin !== undefined) - Number(member.isAwaitingJoin);
    member.awaitingJoin = awaitingJoin;
  }

  /** A static member came back under a new id: whoever still waits under the old one is fenced off. */
  replaceStaticMember(groupInstanceId: string, oldMemberId: string, newMemberId: string): MemberMetadata {
    const member = this.get(oldMemberId);
    this.answerJoin(member, failedJoin(oldMemberId, Errors.FENCED_INSTANCE_ID));
    this.answerSync(member, failedSync(Errors.FENCED_INSTANCE_ID));
    // In the old one's place: the order of members decides votes that are even, and so whether the protocol stays.
    const members = this.allMembers;
    member.memberId = newMemberId;
    this.members.clear();
    for (const each of members) this.members.set(each.memberId, each);
    if (this.isLeader(oldMemberId)) this.leaderId = newMemberId;
    if (this.pendingSyncMembers.delete(oldMemberId)) this.pendingSyncMembers.add(newMemberId);
    this.staticMembers.set(groupInstanceId, newMemberId);
    return member;
  }

  answerJoin(member: MemberMetadata, result: JoinGroupResult): void {
    if (member.awaitingJoin === undefined) return;
    member.awaitingJoin(result);
    member.awaitingJoin = undefined;
    this.awaitingJoinCount -= 1;
  }

  /** @returns whether the member's SyncGroup request was waiting */
  answerSync(member: MemberMetadata, result: SyncGroupResult): boolean {
    if (member.awaitingSync === undefined) return false;
    member.awaitingSync(result);
    member.awaitingSync = undefined;
    return true;
  }

  get notYetRejoinedMembers(): MemberMetadata[] {
    return this.allMembers.filter((member) => !member.isAwaitingJoin);
  }

  get hasAllMembersJoined(): boolean {
    return this.members.size === this.awaitingJoinCount && this.pendingMembers.size === 0;
  }

  /** ms: the slowest member sets how long a rebalance may take. */
  get rebalanceTimeoutMs(): number {
    return this.allMembers.reduce((longest, member) => Math.max(longest, member.rebalanceTimeoutMs), 0);
  }

  get canRebalance(): boolean {
    return validPreviousStates.PreparingRebalance.includes(this.state);
  }

  transitionTo(state: GroupState): void {
    invariant(
      validPreviousStates[state].includes(this.state),
      () =>
        `Group ${this.groupId} should be in the ${validPreviousStates[state].join(',')} states before moving to ` +
        `${state} state. Instead it is in ${this.state} state`,
    );
    this.state = state;
    this.currentStateTimestamp = this.time.milliseconds();
  }

  /** Whether a member with these protocols could be in the group with those that are. */
  supportsProtocols(protocolType: string, protocols: readonly MemberProtocol[]): boolean {
    if (this.is('Empty')) return protocolType !== '' && protocols.length > 0;
    return (
      this.protocolType === protocolType &&
      protocols.some(({ name }) => (this.supportedProtocols.get(name) ?? 0) === this.members.size)
    );
  }

  /** Each member votes for the protocol it likes best among those that all support; most votes win. */
  selectProtocol(): string {
    invariant(this.members.size > 0, 'an empty group has no protocol');
    const candidates = new Set<string>();
    for (const [name, count] of this.supportedProtocols) if (count === this.members.size) candidates.add(name);
    const votes = new Map<string, number>();
    for (const member of this.members.values()) {
      const choice = member.vote(candidates);
      votes.set(choice, (votes.get(choice) ?? 0) + 1);
    }
    return [...votes].reduce((most, next) => (next[1] > most[1] ? next : most))[0];
  }

  /**
   * A leader that did not join again gives way to a member that did.
   *
   * @returns false when there is a leader, but nobody has joined
   */
  maybeElectNewJoinedLeader(): boolean {
    if (this.leaderId === null) return false;
    const leader = this.get(this.leaderId);
    if (leader.isAwaitingJoin) return true;
    const joined = this.allMembers.find((member) => member.isAwaitingJoin);
    const failed =
      `Group leader [member.id: ${leader.memberId}, group.instance.id: ${option(leader.groupInstanceId)}] ` +
      'failed to join before rebalance timeout';
    if (joined === undefined) {
      this.logger.info(`${failed}, and the group couldn't proceed to next generation because no member joined.`);
      return false;
    }
    this.leaderId = joined.memberId;
    this.logger.info(`${failed}, while new leader ${joined.toString()} was elected.`);
    return true;
  }

  /** Ends the join phase: the next generation, Empty or waiting for the leader's assignment. */
  initNextGeneration(): void {
    const isEmpty = this.members.size === 0;
    this.generationId += 1;
    this.protocolName = isEmpty ? null : this.selectProtocol();
    this.updateSubscribedTopics();
    this.transitionTo(isEmpty ? 'Empty' : 'CompletingRebalance');
    this.pendingSyncMembers.clear();
  }

  get isConsumerGroup(): boolean {
    return this.protocolType === consumerProtocolType;
  }

  /** Whether members read the topic; true when that cannot be known. */
  isSubscribedTo(topic: string): boolean {
    return this.topics === undefined || this.topics.has(topic);
  }

  updateSubscribedTopics(): void {
    this.topics = subscribedTopics(this.protocolType, this.protocolName, this.allMembers);
  }

  /** Removes the offsets that have expired by `nowMs`, as the group's state allows (KIP-211). */
  removeExpiredOffsets(nowMs: number, retentionMs: number): CommittedOffset[] {
    if (this.protocolType === null) {
      // Nobody ever joined: each offset counts for itself.
      const baseTimestamp = (offset: { commitTimestamp: number }): number => offset.commitTimestamp;
      return this.offsets.removeExpired(nowMs, retentionMs, { baseTimestamp, keptTopics: new Set() });
    }
    if (this.is('Empty')) {
      const sinceMs = this.currentStateTimestamp;
      const baseTimestamp = (offset: { commitTimestamp: number }): number =>
        sinceMs < 0 ? offset.commitTimestamp : sinceMs;
      return this.offsets.removeExpired(nowMs, retentionMs, { baseTimestamp, keptTopics: new Set() });
    }
    if (this.isConsumerGroup && this.topics !== undefined && this.is('Stable')) {
      const baseTimestamp = (offset: { commitTimestamp: number }): number => offset.commitTimestamp;
      return this.offsets.removeExpired(nowMs, retentionMs, { baseTimestamp, keptTopics: this.topics });
    }
    return [];
  }

  /** The current generation as a member is told of it: the leader gets everybody's metadata, to assign by. */
  joinResult(memberId: string): JoinGroupResult {
    const { protocolName } = this;
    invariant(protocolName !== null, 'a generation with members has a protocol');
    const told = this.isLeader(memberId) ? this.allMembers : [];
    return {
      error: Errors.NONE,
      memberId,
      generationId: this.generationId,
      protocolType: this.protocolType,
      protocolName,
      leaderId: this.leaderId ?? '',
      members: told.map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        metadata: member.metadata(protocolName),
      })),
    };
  }

  get overview(): GroupOverview {
    return { groupId: this.groupId, protocolType: this.protocolType ?? '', state: this.state };
  }

  get summary(): GroupSummary {
    const protocol = this.is('Stable') ? this.protocolName : null;
    return {
      state: this.state,
      protocolType: this.protocolType ?? '',
      protocol: protocol ?? '',
      members: this.allMembers.map((member) => member.summary(protocol)),
    };
  }

  /** The group as it is stored. @param assignments for every member */
  storedValue(assignments: ReadonlyMap<string, Buffer>): GroupMetadataValueInit {
    const { protocolName } = this;
    return {
      protocolType: this.protocolType ?? '',
      generation: this.generationId,
      protocol: protocolName,
      leader: this.leaderId,
      currentStateTimestamp: this.currentStateTimestamp,
      members: this.allMembers.map((member) => {
        const assignment = assignments.get(member.memberId);
        invariant(protocolName !== null, 'a group with members has a protocol');
        invariant(assignment !== undefined, () => `no assignment for member ${member.memberId} of ${this.groupId}`);
        return {
          memberId: member.memberId,
          groupInstanceId: member.groupInstanceId,
          clientId: member.clientId,
          clientHost: member.clientHost,
          rebalanceTimeout: member.rebalanceTimeoutMs,
          sessionTimeout: member.sessionTimeoutMs,
          subscription: member.metadata(protocolName),
          assignment,
        };
      }),
    };
  }

  private countProtocols(protocols: readonly MemberProtocol[], change: 1 | -1): void {
    for (const { name } of protocols) {
      this.supportedProtocols.set(name, (this.supportedProtocols.get(name) ?? 0) + change);
    }
  }
}
