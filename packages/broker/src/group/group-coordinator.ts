import { prefixed, SystemRandom, topicPartitionKey } from '@klassic/common';
import type { Logger, LoggerFactory, Random, Time, TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';
import type { GroupConfig } from './group-config.ts';
import { GroupDeletions } from './group-deletions.ts';
import { GroupJoins } from './group-joins.ts';
import type { GroupLog } from './group-log.ts';
import { GroupMetadataManager } from './group-metadata-manager.ts';
import type { GroupMetadata } from './group-metadata.ts';
import { GroupSyncs } from './group-syncs.ts';
import type { TransactionalProducer } from './group-store.ts';
import type {
  DeleteOffsetsResult,
  FetchOffsetsResult,
  GroupOverview,
  GroupSummary,
  JoinGroupParameters,
  JoinGroupResult,
  LeaveGroupResult,
  LeavingMember,
  OffsetsToCommit,
  SyncGroupParameters,
  SyncGroupResult,
} from './messages.ts';
import { OffsetCommits } from './offset-commits.ts';
import type { Committer } from './offset-commits.ts';
import { Rebalances } from './rebalances.ts';
import { failedJoin, failedSync } from './results.ts';
import { option } from './scala-text.ts';

export interface GroupCoordinatorOptions {
  readonly brokerId: number;
  readonly config: GroupConfig;
  readonly groupLog: GroupLog;
  readonly time: Time;
  /** Makes member ids. */
  readonly random?: Random;
  readonly loggers: LoggerFactory;
}

/**
 * The coordinator of consumer groups: membership, generations, committed offsets of the groups whose partition of
 * `__consumer_offsets` this broker leads. Counterpart of `kafka.coordinator.group.GroupCoordinator`.
 *
 * Every method answers with an error code of the protocol; none rejects.
 */
export class GroupCoordinator {
  private readonly config: GroupConfig;
  private readonly logger: Logger;
  private readonly manager: GroupMetadataManager;
  private readonly rebalances: Rebalances;
  private readonly joins: GroupJoins;
  private readonly syncs: GroupSyncs;
  private readonly commits: OffsetCommits;
  private readonly deletions: GroupDeletions;
  private active = false;

  constructor(options: GroupCoordinatorOptions) {
    const { brokerId, config, time, loggers, random = new SystemRandom() } = options;
    this.config = config;
    const logger = prefixed(loggers('kafka.coordinator.group.GroupCoordinator'), `[GroupCoordinator ${brokerId}]: `);
    this.logger = logger;
    const manager = new GroupMetadataManager(options);
    this.manager = manager;
    const rebalances = new Rebalances({ config, manager, time, logger });
    this.rebalances = rebalances;
    this.joins = new GroupJoins({ config, manager, rebalances, random, logger });
    this.syncs = new GroupSyncs(manager, rebalances, logger);
    this.commits = new OffsetCommits(config, manager, rebalances);
    this.deletions = new GroupDeletions(manager, logger);
  }

  /** @param offsetsTopicPartitionCount how many partitions `__consumer_offsets` has, or will have */
  startup(offsetsTopicPartitionCount: number): void {
    this.logger.info('Starting up.');
    this.manager.startup(offsetsTopicPartitionCount);
    this.active = true;
    this.logger.info('Startup complete.');
  }

  /** Ends all timers. Requests that wait are not answered: their connections close. */
  shutdown(): void {
    this.logger.info('Shutting down.');
    this.active = false;
    this.manager.shutdown();
    for (const group of this.manager.groups) this.rebalances.cancelTimers(group);
    this.logger.info('Shutdown complete.');
  }

  /** The partition of `__consumer_offsets` that a group belongs to; its leader coordinates the group. */
  partitionFor(groupId: string): number {
    return this.manager.partitionFor(groupId);
  }

  /** This broker leads a partition of `__consumer_offsets` now: loads its groups in the background. */
  onElection(offsetsPartition: number, coordinatorEpoch: number): void {
    this.logger.info(`Elected as the group coordinator for partition ${offsetsPartition} in epoch ${coordinatorEpoch}`);
    this.manager.scheduleLoad(offsetsPartition, coordinatorEpoch, (group) => {
      this.rebalances.onGroupLoaded(group);
    });
  }

  /**
   * This broker no longer leads a partition of `__consumer_offsets`: drops its groups in the background.
   *
   * @param coordinatorEpoch undefined when the replica was deleted
   */
  onResignation(offsetsPartition: number, coordinatorEpoch: number | undefined): void {
    this.logger.info(
      `Resigned as the group coordinator for partition ${offsetsPartition} in epoch ${option(coordinatorEpoch)}`,
    );
    this.manager.scheduleUnload(offsetsPartition, coordinatorEpoch, (group) => {
      this.rebalances.onGroupUnloaded(group);
    });
  }

  /** Resolves when the member is in a generation, which may take as long as the rebalance timeout. */
  handleJoinGroup(parameters: JoinGroupParameters): Promise<JoinGroupResult> {
    const { groupId, memberId, sessionTimeoutMs } = parameters;
    const failed = (error: ErrorEntry): Promise<JoinGroupResult> => Promise.resolve(failedJoin(memberId, error));
    const error = groupId === '' ? Errors.INVALID_GROUP_ID : this.groupStatus(groupId);
    if (error !== Errors.NONE) return failed(error);
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.config;
    if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs) {
      return failed(Errors.INVALID_SESSION_TIMEOUT);
    }
    // Whoever has a member id has been in the group before.
    const group = memberId === '' ? this.manager.getOrCreateGroup(groupId) : this.manager.getGroup(groupId);
    if (group === undefined) return failed(Errors.UNKNOWN_MEMBER_ID);
    return new Promise((resolve) => {
      this.joins.join(group, parameters, resolve);
    });
  }

  /** Resolves when the leader has assigned. */
  handleSyncGroup(parameters: SyncGroupParameters): Promise<SyncGroupResult> {
    const { groupId } = parameters;
    let error = groupId === '' ? Errors.INVALID_GROUP_ID : this.groupStatus(groupId);
    // The rebalance is lost with the old coordinator: the member joins anew, without looking for a coordinator.
    if (error === Errors.COORDINATOR_LOAD_IN_PROGRESS) error = Errors.REBALANCE_IN_PROGRESS;
    if (error !== Errors.NONE) return Promise.resolve(failedSync(error));
    const group = this.manager.getGroup(groupId);
    if (group === undefined) return Promise.resolve(failedSync(Errors.UNKNOWN_MEMBER_ID));
    return new Promise((resolve) => {
      this.syncs.sync(group, parameters, resolve);
    });
  }

  handleHeartbeat(groupId: string, memberId: string, groupInstanceId: string | null, generationId: number): ErrorEntry {
    const error = groupId === '' ? Errors.INVALID_GROUP_ID : this.groupStatus(groupId);
    // While its group loads a member is believed.
    if (error === Errors.COORDINATOR_LOAD_IN_PROGRESS) return Errors.NONE;
    if (error !== Errors.NONE) return error;
    const group = this.manager.getGroup(groupId);
    if (group === undefined) return Errors.UNKNOWN_MEMBER_ID;
    if (group.is('Dead')) return Errors.COORDINATOR_NOT_AVAILABLE;
    if (group.isStaticMemberFenced(memberId, groupInstanceId, 'heartbeat')) return Errors.FENCED_INSTANCE_ID;
    const member = group.find(memberId);
    if (member === undefined || group.is('Empty')) return Errors.UNKNOWN_MEMBER_ID;
    if (generationId !== group.generationId) return Errors.ILLEGAL_GENERATION;
    this.rebalances.expirations.heartbeat(group, member);
    return group.is('PreparingRebalance') ? Errors.REBALANCE_IN_PROGRESS : Errors.NONE;
  }

  handleLeaveGroup(groupId: string, leavingMembers: readonly LeavingMember[]): LeaveGroupResult {
    const error = groupId === '' ? Errors.INVALID_GROUP_ID : this.groupStatus(groupId);
    if (error !== Errors.NONE) return { error, members: [] };
    const group = this.manager.getGroup(groupId);
    if (group?.is('Dead') === true) return { error: Errors.COORDINATOR_NOT_AVAILABLE, members: [] };
    const members = leavingMembers.map((leaving) => ({
      ...leaving,
      error: group === undefined ? Errors.UNKNOWN_MEMBER_ID : this.leave(group, leaving),
    }));
    return { error: Errors.NONE, members };
  }

  private leave(group: GroupMetadata, { memberId, groupInstanceId }: LeavingMember): ErrorEntry {
    if (memberId !== '' && group.isStaticMemberFenced(memberId, groupInstanceId, 'leave-group')) {
      return Errors.FENCED_INSTANCE_ID;
    }
    if (group.isPendingMember(memberId)) {
      this.logger.info(`Pending member ${memberId} is leaving group ${group.groupId}.`);
      this.rebalances.removePendingMember(group, memberId);
      return Errors.NONE;
    }
    const member = group.find(group.staticMemberId(groupInstanceId) ?? memberId);
    if (member === undefined) return Errors.UNKNOWN_MEMBER_ID;
    this.logger.info(
      `Member[group.instance.id ${option(member.groupInstanceId)}, member.id ${member.memberId}] in group ` +
        `${group.groupId} has left, removing it from the group`,
    );
    this.rebalances.removeMember(group, member, `removing member ${memberId} on LeaveGroup`);
    return Errors.NONE;
  }

  /** Resolves when the offsets are in the log, to an error for each partition, by `topicPartitionKey`. */
  async handleCommitOffsets(
    groupId: string,
    committer: Committer,
    offsets: OffsetsToCommit,
  ): Promise<Map<string, ErrorEntry>> {
    const error = this.groupStatus(groupId);
    if (error !== Errors.NONE) return new Map([...offsets.keys()].map((key) => [key, error]));
    return this.commits.commit(groupId, committer, offsets);
  }

  /** Like `handleCommitOffsets`, in a producer's transaction: the offsets count from its marker on (KIP-98, KIP-447). */
  async handleTxnCommitOffsets(
    groupId: string,
    committer: Committer,
    producer: TransactionalProducer,
    offsets: OffsetsToCommit,
  ): Promise<Map<string, ErrorEntry>> {
    const error = groupId === '' ? Errors.INVALID_GROUP_ID : this.groupStatus(groupId);
    if (error !== Errors.NONE) return new Map([...offsets.keys()].map((key) => [key, error]));
    return this.commits.commitInTransaction(groupId, committer, producer, offsets);
  }

  /** A transaction's marker is in these partitions of `__consumer_offsets`: its offsets count, or are dropped. */
  scheduleHandleTxnCompletion(producerId: number, offsetsPartitions: readonly number[], isCommit: boolean): void {
    this.manager.schedule(() => {
      this.commits.completeTransaction(producerId, new Set(offsetsPartitions), isCommit);
    });
  }

  /**
   * @param partitions null for all that have an offset
   * @param requireStable whether an offset that a commit under way may change is refused (KIP-447)
   */
  handleFetchOffsets(
    groupId: string,
    requireStable: boolean,
    partitions: readonly TopicPartition[] | null,
  ): FetchOffsetsResult {
    const error = this.groupStatus(groupId);
    if (error !== Errors.NONE) return { error, offsets: [] };
    return { error, offsets: this.commits.fetch(groupId, requireStable, partitions) };
  }

  /** @param states none for all */
  handleListGroups(states: ReadonlySet<string>): { error: ErrorEntry; groups: GroupOverview[] } {
    if (!this.active) return { error: Errors.COORDINATOR_NOT_AVAILABLE, groups: [] };
    const groups = this.manager.groups.map((group) => group.overview);
    return {
      error: this.manager.isLoading ? Errors.COORDINATOR_LOAD_IN_PROGRESS : Errors.NONE,
      groups: states.size === 0 ? groups : groups.filter(({ state }) => states.has(state)),
    };
  }

  /** Groups by state and their committed offsets, for the broker's metrics. */
  get metrics(): { readonly groupsByState: ReadonlyMap<string, number>; readonly offsets: number } {
    const groupsByState = new Map<string, number>();
    let offsets = 0;
    for (const group of this.manager.groups) {
      const { state } = group.overview;
      groupsByState.set(state, (groupsByState.get(state) ?? 0) + 1);
      offsets += group.offsets.size;
    }
    return { groupsByState, offsets };
  }

  /** A group that does not exist is described as Dead. */
  handleDescribeGroup(groupId: string): { error: ErrorEntry; summary: GroupSummary } {
    const error = this.groupStatus(groupId);
    const nobody = { protocolType: '', protocol: '', members: [] };
    if (error !== Errors.NONE) return { error, summary: { state: '', ...nobody } };
    return { error, summary: this.manager.getGroup(groupId)?.summary ?? { state: 'Dead', ...nobody } };
  }

  /** Deletes groups without members, offsets included. */
  handleDeleteGroups(groupIds: ReadonlySet<string>): Promise<Map<string, ErrorEntry>> {
    return this.deletions.deleteGroups(groupIds, (groupId) => this.groupStatus(groupId));
  }

  /** Deletes offsets of topics that no member reads (KIP-496). */
  async handleDeleteOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<DeleteOffsetsResult> {
    const error = groupId === '' ? Errors.INVALID_GROUP_ID : this.groupStatus(groupId);
    if (error !== Errors.NONE) return { error, partitions: new Map() };
    return this.deletions.deleteOffsets(groupId, partitions);
  }

  /** Topics were deleted: their offsets go too. */
  handleDeletedPartitions(partitions: readonly TopicPartition[]): void {
    const keys = partitions.map(({ topic, partition }) => topicPartitionKey(topic, partition));
    void this.manager
      .cleanup(this.manager.groups, (group) => group.offsets.remove(keys))
      .then((removed) => {
        this.logger.info(`Removed ${removed} offsets associated with deleted partitions: ${keys.join(', ')}.`);
      });
  }

  /** Whether the group is this coordinator's and loaded. */
  private groupStatus(groupId: string): ErrorEntry {
    if (!this.active) return Errors.COORDINATOR_NOT_AVAILABLE;
    if (this.manager.isGroupLoading(groupId)) return Errors.COORDINATOR_LOAD_IN_PROGRESS;
    return this.manager.isGroupLocal(groupId) ? Errors.NONE : Errors.NOT_COORDINATOR;
  }
}
