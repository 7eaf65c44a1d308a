import { topicPartitionKey } from '@klassic/common';
import type { Logger, TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';
import type { GroupMetadataManager } from './group-metadata-manager.ts';
import type { GroupMetadata } from './group-metadata.ts';
import type { DeleteOffsetsResult } from './messages.ts';

/** Deletes groups and offsets on request. */
export class GroupDeletions {
  private readonly manager: GroupMetadataManager;
  private readonly logger: Logger;

  constructor(manager: GroupMetadataManager, logger: Logger) {
    this.manager = manager;
    this.logger = logger;
  }

  /** @param statusOf whether a group is coordinated here */
  async deleteGroups(
    groupIds: ReadonlySet<string>,
    statusOf: (groupId: string) => ErrorEntry,
  ): Promise<Map<string, ErrorEntry>> {
    const results = new Map<string, ErrorEntry>();
    const deleted: GroupMetadata[] = [];
    for (const groupId of groupIds) {
      const status = statusOf(groupId);
      const group = this.manager.getGroup(groupId);
      if (status !== Errors.NONE) {
        results.set(groupId, status);
      } else if (group === undefined || group.is('Dead')) {
        results.set(groupId, this.missing(groupId));
      } else if (group.is('Empty')) {
        group.transitionTo('Dead');
        deleted.push(group);
        results.set(groupId, Errors.NONE);
      } else {
        results.set(groupId, Errors.NON_EMPTY_GROUP);
      }
    }
    if (deleted.length > 0) {
      const removed = await this.manager.cleanup(deleted, (group) => group.offsets.removeAll());
      const ids = deleted.map(({ groupId }) => groupId).join(', ');
      this.logger.info(`The following groups were deleted: ${ids}. A total of ${removed} offsets were removed.`);
    }
    return results;
  }

  async deleteOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<DeleteOffsetsResult> {
    const group = this.manager.getGroup(groupId);
    if (group === undefined || group.is('Dead')) return { error: this.missing(groupId), partitions: new Map() };
    if (!group.is('Empty') && !group.isConsumerGroup) return { error: Errors.NON_EMPTY_GROUP, partitions: new Map() };
    const results = new Map<string, ErrorEntry>();
    const eligible: string[] = [];
    for (const { topic, partition } of partitions) {
      const key = topicPartitionKey(topic, partition);
      const isRead = !group.is('Empty') && group.isSubscribedTo(topic);
      results.set(key, isRead ? Errors.GROUP_SUBSCRIBED_TO_TOPIC : Errors.NONE);
      if (!isRead) eligible.push(key);
    }
    if (eligible.length > 0) {
      const removed = await this.manager.cleanup([group], ({ offsets }) => offsets.remove(eligible));
      this.logger.info(
        `The following offsets of the group ${groupId} were deleted: ${eligible.join(', ')}. A total of ${removed} ` +
          'offsets were removed.',
      );
    }
    return { error: Errors.NONE, partitions: results };
  }

  /** What is said of a group that is not here: it does not exist, or is somebody else's meanwhile. */
  private missing(groupId: string): ErrorEntry {
    return this.manager.groupNotExists(groupId) ? Errors.GROUP_ID_NOT_FOUND : Errors.NOT_COORDINATOR;
  }
}
