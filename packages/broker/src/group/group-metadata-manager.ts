import { invariant, prefixed } from '@klassic/common';
import type { Cancel, Logger, LoggerFactory, Time } from '@klassic/common';
import type { GroupMetadataValue } from '@klassic/protocol';
import { coordinatorPartition } from './coordinator-partition.ts';
import type { GroupConfig } from './group-config.ts';
import { loadPartition, membersOf } from './group-loader.ts';
import type { LoadedPartition } from './group-loader.ts';
import type { GroupLog } from './group-log.ts';
import { GroupMetadata } from './group-metadata.ts';
import type { CommittedOffset } from './group-offsets.ts';
import { groupMetadataTopic } from './group-records.ts';
import { GroupStore } from './group-store.ts';
import { option } from './scala-text.ts';
import { SerialTasks } from './serial-tasks.ts';

const msPerMinute = 60_000;

export interface GroupMetadataManagerOptions {
  readonly brokerId: number;
  readonly config: GroupConfig;
  readonly groupLog: GroupLog;
  readonly time: Time;
  readonly loggers: LoggerFactory;
}

/**
 * The groups this broker coordinates: those of the partitions of `__consumer_offsets` that it leads. Loads them from the
 * log, drops them, expires their offsets. Counterpart of `kafka.coordinator.group.GroupMetadataManager`.
 */
export class GroupMetadataManager {
  readonly store: GroupStore;
  private readonly options: GroupMetadataManagerOptions;
  private readonly logger: Logger;
  private readonly groupLogger: Logger;
  private readonly cache = new Map<string, GroupMetadata>();
  private readonly loadingPartitions = new Set<number>();
  private readonly ownedPartitions = new Set<number>();
  /** Leader epoch of the last load or unload of a partition: an older request changes nothing. */
  private readonly epochs = new Map<number, number>();
  private readonly tasks: SerialTasks;
  private partitionCount = 0;
  private cancelExpiry: Cancel | undefined;
  private shuttingDown = false;

  constructor(options: GroupMetadataManagerOptions) {
    const { brokerId, config, groupLog, time, loggers } = options;
    this.options = options;
    this.logger = prefixed(
      loggers('kafka.coordinator.group.GroupMetadataManager'),
      `[GroupMetadataManager brokerId=${brokerId}] `,
    );
    this.groupLogger = loggers('kafka.coordinator.group.GroupMetadata');
    this.tasks = new SerialTasks(time);
    const partitionFor = (groupId: string): number => this.partitionFor(groupId);
    this.store = new GroupStore({ config, groupLog, partitionFor, time, logger: this.logger });
  }

  /** @param partitionCount how many partitions `__consumer_offsets` has, or will have */
  startup(partitionCount: number): void {
    const { config, time } = this.options;
    this.partitionCount = partitionCount;
    this.cancelExpiry = time.scheduleEvery(config.offsetsRetentionCheckIntervalMs, () => {
      this.tasks.schedule(() => this.expireOffsets());
    });
  }

  shutdown(): void {
    this.shuttingDown = true;
    this.tasks.clear();
    this.cancelExpiry?.();
  }

  partitionFor(groupId: string): number {
    invariant(this.partitionCount > 0, 'the coordinator has not been started');
    return coordinatorPartition(groupId, this.partitionCount);
  }

  isGroupLocal(groupId: string): boolean {
    return this.ownedPartitions.has(this.partitionFor(groupId));
  }

  isGroupLoading(groupId: string): boolean {
    return this.loadingPartitions.has(this.partitionFor(groupId));
  }

  get isLoading(): boolean {
    return this.loadingPartitions.size > 0;
  }

  /** Whether the group would be here if it existed, and is not. */
  groupNotExists(groupId: string): boolean {
    return this.isGroupLocal(groupId) && (this.getGroup(groupId)?.is('Dead') ?? true);
  }

  get groups(): GroupMetadata[] {
    return [...this.cache.values()];
  }

  getGroup(groupId: string): GroupMetadata | undefined {
    return this.cache.get(groupId);
  }

  getOrCreateGroup(groupId: string): GroupMetadata {
    return this.cache.get(groupId) ?? this.addGroup(this.newGroup(groupId));
  }

  /** Begins, in the background, to load the groups of a partition that this broker now leads. */
  scheduleLoad(partition: number, epoch: number, onGroupLoaded: (group: GroupMetadata) => void): void {
    this.logger.info(
      `Scheduling loading of offsets and group metadata from ${groupMetadataTopic}-${partition} for epoch ${epoch}`,
    );
    const scheduledAtMs = this.options.time.milliseconds();
    this.tasks.schedule(() => this.load(partition, epoch, onGroupLoaded, scheduledAtMs));
  }

  /** Drops, in the background, the groups of a partition that this broker no longer leads. */
  scheduleUnload(partition: number, epoch: number | undefined, onGroupUnloaded: (group: GroupMetadata) => void): void {
    this.logger.info(`Scheduling unloading of offsets and group metadata from ${groupMetadataTopic}-${partition}`);
    this.tasks.schedule(() => {
      this.unload(partition, epoch, onGroupUnloaded);
    });
  }

  /** Runs `task` after all loading and unloading that was asked for before. */
  schedule(task: () => void): void {
    this.tasks.schedule(task);
  }

  /**
   * Takes offsets out of groups and writes their tombstones; an empty group that has none left goes with them.
   *
   * @param select removes the offsets from the group and returns them
   * @returns how many offsets are gone for good
   */
  async cleanup(
    groups: readonly GroupMetadata[],
    select: (group: GroupMetadata) => CommittedOffset[],
  ): Promise<number> {
    const results = groups.map((group) => this.cleanupGroup(group, select(group)));
    return (await Promise.all(results)).reduce((sum, removed) => sum + removed, 0);
  }

  private async cleanupGroup(group: GroupMetadata, removed: readonly CommittedOffset[]): Promise<number> {
    const { groupId, generationId } = group;
    if (group.is('Empty') && !group.offsets.hasAny) {
      this.logger.info(`Group ${groupId} transitioned to Dead in generation ${generationId}`);
      group.transitionTo('Dead');
    }
    if (!this.options.groupLog.isHosted(this.partitionFor(groupId))) {
      this.logger.info(
        `BrokerId ${this.options.brokerId} is no longer a coordinator for the group ${groupId}. ` +
          'Proceeding cleanup for other alive groups',
      );
      return 0;
    }
    const isGone = group.is('Dead') && this.cache.get(groupId) === group && this.cache.delete(groupId);
    // A group of generation 0 only ever stored offsets: there is no record of it.
    const stored = await this.store.storeTombstones(groupId, removed, isGone && generationId > 0);
    return stored ? removed.length : 0;
  }

  private async expireOffsets(): Promise<void> {
    const { config, time } = this.options;
    const nowMs = time.milliseconds();
    const retentionMs = config.offsetsRetentionMinutes * msPerMinute;
    const removed = await this.cleanup(this.groups, (group) => group.removeExpiredOffsets(nowMs, retentionMs));
    if (removed > 0) {
      this.logger.info(`Removed ${removed} expired offsets in ${time.milliseconds() - nowMs} milliseconds.`);
    }
  }

  private newGroup(groupId: string): GroupMetadata {
    return new GroupMetadata(groupId, 'Empty', this.options.time, this.groupLogger);
  }

  private addGroup(group: GroupMetadata): GroupMetadata {
    const cached = this.cache.get(group.groupId);
    if (cached !== undefined) return cached;
    this.cache.set(group.groupId, group);
    return group;
  }

  private async load(
    partition: number,
    epoch: number,
    onGroupLoaded: (group: GroupMetadata) => void,
    scheduledAtMs: number,
  ): Promise<void> {
    const { config, groupLog, time, loggers } = this.options;
    const topicPartition = `${groupMetadataTopic}-${partition}`;
    if (!this.maybeUpdateEpoch(partition, epoch)) {
      this.logger.info(
        `Not loading offsets and group metadata for ${topicPartition} in epoch ${epoch} since current epoch is ` +
          String(this.epochs.get(partition)),
      );
      return;
    }
    if (this.ownedPartitions.has(partition)) {
      this.logger.info(`Already loading offsets and group metadata from ${topicPartition}`);
      return;
    }
    this.loadingPartitions.add(partition);
    const startedAtMs = time.milliseconds();
    try {
      const loaded = await loadPartition({
        groupLog,
        partition,
        bufferSize: config.offsetsLoadBufferSize,
        time,
        logger: this.logger,
        memberLogger: loggers('kafka.coordinator.group.GroupMetadata$'),
        isShuttingDown: () => this.shuttingDown,
      });
      if (loaded !== undefined) this.takeOver(loaded, topicPartition, onGroupLoaded);
      this.logger.info(
        `Finished loading offsets and group metadata from ${topicPartition} in ${time.milliseconds() - scheduledAtMs} ` +
          `milliseconds for epoch ${epoch}, of which ${startedAtMs - scheduledAtMs} milliseconds was spent in the scheduler.`,
      );
    } catch (error) {
      this.logger.error(`Error loading offsets from ${topicPartition}`, error);
    } finally {
      this.ownedPartitions.add(partition);
      this.loadingPartitions.delete(partition);
    }
  }

  private takeOver(
    loaded: LoadedPartition,
    topicPartition: string,
    onGroupLoaded: (group: GroupMetadata) => void,
  ): void {
    for (const groupId of loaded.groupIds) {
      const value = loaded.groups.get(groupId);
      const group = value === undefined ? this.newGroup(groupId) : this.restoreGroup(groupId, value);
      group.offsets.load(loaded.offsetsOf(groupId), loaded.pendingOffsetsOf(groupId));
      const cached = this.addGroup(group);
      if (cached !== group) {
        this.logger.debug(
          `Attempt to load group ${groupId} from log with generation ${group.generationId} failed because there is ` +
            `already a cached group with generation ${cached.generationId}`,
        );
      }
      onGroupLoaded(cached);
    }
    for (const groupId of loaded.removedGroups) {
      if (this.cache.has(groupId) && loaded.offsetsOf(groupId).size === 0) {
        this.logger.error(`Unexpected unload of active group ${groupId} while loading partition ${topicPartition}`);
      }
    }
  }

  private restoreGroup(groupId: string, value: GroupMetadataValue): GroupMetadata {
    const state = value.members.length === 0 ? 'Empty' : 'Stable';
    const group = new GroupMetadata(groupId, state, this.options.time, this.groupLogger);
    group.generationId = value.generation;
    group.protocolType = value.protocolType === '' ? null : value.protocolType;
    group.protocolName = value.protocol;
    group.leaderId = value.leader;
    group.currentStateTimestamp = value.currentStateTimestamp;
    for (const member of membersOf(value)) group.add(member);
    group.updateSubscribedTopics();
    return group;
  }

  private unload(partition: number, epoch: number | undefined, onGroupUnloaded: (group: GroupMetadata) => void): void {
    const topicPartition = `${groupMetadataTopic}-${partition}`;
    if (!this.maybeUpdateEpoch(partition, epoch)) {
      this.logger.info(
        `Not removing offsets and group metadata for ${topicPartition} in epoch ${option(epoch)} since current epoch is ` +
          String(this.epochs.get(partition)),
      );
      return;
    }
    this.ownedPartitions.delete(partition);
    this.loadingPartitions.delete(partition);
    let offsetsRemoved = 0;
    let groupsRemoved = 0;
    for (const group of this.groups) {
      if (this.partitionFor(group.groupId) !== partition) continue;
      onGroupUnloaded(group);
      this.cache.delete(group.groupId);
      groupsRemoved += 1;
      offsetsRemoved += group.offsets.size;
    }
    this.logger.info(
      `Finished unloading ${topicPartition} for coordinator epoch ${option(epoch)}. Removed ${offsetsRemoved} cached ` +
        `offsets and ${groupsRemoved} cached groups.`,
    );
  }

  /** @returns whether a request of this epoch is not overtaken; one without an epoch never is */
  private maybeUpdateEpoch(partition: number, epoch: number | undefined): boolean {
    const current = this.epochs.get(partition);
    if (epoch === undefined) return true;
    if (current !== undefined && epoch < current) return false;
    this.epochs.set(partition, epoch);
    return true;
  }
}
