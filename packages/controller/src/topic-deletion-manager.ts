import type { Logger, LoggerFactory, TopicPartition } from '@klassic/common';
import { prefixed } from '@klassic/common';
import type { ControllerConfig } from './controller-config.ts';
import type { ControllerContext, PartitionAndReplica } from './controller-context.ts';
import type { ControllerStore } from './controller-store.ts';
import type { ControllerWatches } from './controller-watches.ts';
import type { PartitionStateMachine } from './partition-state-machine.ts';
import type { ReplicaStateMachine } from './replica-state-machine.ts';
import { replicaText } from './replica-state-machine.ts';

export interface TopicDeletionParts {
  readonly config: ControllerConfig;
  readonly context: ControllerContext;
  readonly store: ControllerStore;
  readonly watches: ControllerWatches;
  readonly replicaStateMachine: ReplicaStateMachine;
  readonly partitionStateMachine: PartitionStateMachine;
  /** Tells every live broker of the partitions. */
  readonly sendMetadataUpdate: (partitions: readonly TopicPartition[]) => void;
  readonly loggers: LoggerFactory;
}

/**
 * Deletes topics that stand in `/admin/delete_topics`: brokers are told to stop serving them, all replicas are stopped,
 * then deleted; when each has confirmed, the topic's znodes go. A dead replica or a reassignment halts the deletion
 * until the broker is back or the reassignment done (`kafka.controller.TopicDeletionManager`).
 */
export class TopicDeletionManager {
  private readonly parts: TopicDeletionParts;
  private readonly context: ControllerContext;
  private readonly log: Logger;

  constructor(parts: TopicDeletionParts) {
    this.parts = parts;
    this.context = parts.context;
    this.log = prefixed(
      parts.loggers('kafka.controller.TopicDeletionManager'),
      `[Topic Deletion Manager ${parts.config.brokerId}] `,
    );
  }

  private get enabled(): boolean {
    return this.parts.config.deleteTopicEnable;
  }

  /** On election: takes up the deletions found in ZooKeeper, or removes them where deletion is disabled. */
  async init(topicsToBeDeleted: readonly string[], ineligible: readonly string[]): Promise<void> {
    this.log.info(
      `Initializing manager with initial deletions: ${setText(topicsToBeDeleted)}, ` +
        `initial ineligible deletions: Hash${setText(ineligible)}`,
    );
    if (this.enabled) {
      for (const topic of topicsToBeDeleted) this.context.topicsToBeDeleted.add(topic);
      for (const topic of ineligible) {
        if (this.context.topicsToBeDeleted.has(topic)) this.context.topicsIneligibleForDeletion.add(topic);
      }
    } else {
      this.log.info(`Removing ${setText(topicsToBeDeleted)} since delete topic is disabled`);
      await this.parts.store.deleteTopicDeletions(topicsToBeDeleted, this.context.epochZkVersion);
    }
  }

  async tryTopicDeletion(): Promise<void> {
    if (this.enabled) await this.resumeDeletions();
  }

  async enqueueTopicsForDeletion(topics: readonly string[]): Promise<void> {
    if (!this.enabled) return;
    for (const topic of topics) this.context.topicsToBeDeleted.add(topic);
    await this.resumeDeletions();
  }

  /** What halted the deletion of these topics is over: a broker is back or a reassignment done. */
  async resumeDeletionForTopics(topics: Iterable<string>): Promise<void> {
    if (!this.enabled) return;
    const queued = [...new Set(topics)].filter((topic) => this.context.topicsToBeDeleted.has(topic));
    if (queued.length === 0) return;
    for (const topic of queued) this.context.topicsIneligibleForDeletion.delete(topic);
    await this.resumeDeletions();
  }

  /** The replicas cannot be deleted now, because their broker died or refused: their topics wait. */
  async failReplicaDeletion(replicas: readonly PartitionAndReplica[]): Promise<void> {
    if (!this.enabled) return;
    const failed = replicas.filter(({ topic }) => this.context.isTopicQueuedUpForDeletion(topic));
    if (failed.length === 0) return;
    const topics = [...new Set(failed.map(({ topic }) => topic))];
    this.log.debug(
      `Deletion failed for replicas ${failed.map(replicaText).join(',')}. Halting deletion for topics ${setText(topics)}`,
    );
    await this.parts.replicaStateMachine.handleStateChanges(failed, 'ReplicaDeletionIneligible');
    this.markTopicIneligibleForDeletion(topics, 'replica deletion failure');
    await this.resumeDeletions();
  }

  markTopicIneligibleForDeletion(topics: Iterable<string>, reason: string): void {
    if (!this.enabled) return;
    const halted = [...topics].filter((topic) => this.context.topicsToBeDeleted.has(topic));
    for (const topic of halted) this.context.topicsIneligibleForDeletion.add(topic);
    if (halted.length > 0) this.log.info(`Halted deletion of topics ${halted.join(',')} due to ${reason}`);
  }

  /** Brokers have confirmed that they deleted these replicas. */
  async completeReplicaDeletion(replicas: readonly PartitionAndReplica[]): Promise<void> {
    const deleted = replicas.filter(({ topic }) => this.context.isTopicQueuedUpForDeletion(topic));
    this.log.debug(`Deletion successfully completed for replicas ${deleted.map(replicaText).join(',')}`);
    await this.parts.replicaStateMachine.handleStateChanges(deleted, 'ReplicaDeletionSuccessful');
    await this.resumeDeletions();
  }

  private isEligible(topic: string): boolean {
    return (
      this.context.isTopicQueuedUpForDeletion(topic) &&
      !this.context.isAnyReplicaInState(topic, 'ReplicaDeletionStarted') &&
      !this.context.topicsIneligibleForDeletion.has(topic)
    );
  }

  private async resumeDeletions(): Promise<void> {
    const queued = [...this.context.topicsToBeDeleted];
    if (queued.length > 0) this.log.info(`Handling deletion for topics ${queued.join(',')}`);
    const toRetry: string[] = [];
    const toDelete: string[] = [];
    for (const topic of queued) {
      if (this.context.areAllReplicasInState(topic, 'ReplicaDeletionSuccessful')) {
        await this.completeDeleteTopic(topic);
        this.log.info(`Deletion of topic ${topic} successfully completed`);
      } else if (
        !this.context.isAnyReplicaInState(topic, 'ReplicaDeletionStarted') &&
        this.context.isAnyReplicaInState(topic, 'ReplicaDeletionIneligible')
      ) {
        toRetry.push(topic);
      }
      if (this.isEligible(topic)) {
        this.log.info(`Deletion of topic ${topic} (re)started`);
        toDelete.push(topic);
      }
    }
    if (toRetry.length > 0) await this.retryDeletionForIneligibleReplicas(toRetry);
    if (toDelete.length > 0) await this.onTopicDeletion(toDelete);
  }

  private async retryDeletionForIneligibleReplicas(topics: readonly string[]): Promise<void> {
    const failed = topics.flatMap((topic) => this.context.replicasInState(topic, 'ReplicaDeletionIneligible'));
    this.log.debug(
      `Retrying deletion of topics ${topics.join(',')} since replicas ${failed.map(replicaText).join(',')} were not successfully deleted`,
    );
    await this.parts.replicaStateMachine.handleStateChanges(failed, 'OfflineReplica');
  }

  private async completeDeleteTopic(topic: string): Promise<void> {
    const { store, watches, replicaStateMachine } = this.parts;
    // Or the watch of the old topic would fire for one created anew under its name.
    watches.unwatchTopic(topic);
    const replicas = this.context.replicasInState(topic, 'ReplicaDeletionSuccessful');
    await replicaStateMachine.handleStateChanges(replicas, 'NonExistentReplica');
    const { epochZkVersion } = this.context;
    await store.deleteTopicZNode(topic, epochZkVersion);
    await store.deleteTopicConfigs([topic], epochZkVersion);
    await store.deleteTopicDeletions([topic], epochZkVersion);
    // A reassignment that was under way when the deletion was asked for has ended with the topic.
    for (const partition of this.context.partitionsForTopic(topic)) watches.unwatchPartitionState(partition);
    this.context.removeTopic(topic);
  }

  private async onTopicDeletion(topics: readonly string[]): Promise<void> {
    const unseen = topics.filter((topic) => !this.context.isTopicDeletionInProgress(topic));
    if (unseen.length > 0) {
      const partitions = unseen.flatMap((topic) => this.context.partitionsForTopic(topic));
      await this.parts.partitionStateMachine.handleStateChanges(partitions, 'OfflinePartition');
      await this.parts.partitionStateMachine.handleStateChanges(partitions, 'NonExistentPartition');
      for (const topic of unseen) this.context.topicsWithDeletionStarted.add(topic);
    }
    this.parts.sendMetadataUpdate(topics.flatMap((topic) => this.context.partitionsForTopic(topic)));
    await this.onPartitionDeletion(topics);
  }

  private async onPartitionDeletion(topics: readonly string[]): Promise<void> {
    const dead: PartitionAndReplica[] = [];
    const toDelete: PartitionAndReplica[] = [];
    const ineligible = new Set<string>();
    for (const topic of topics) {
      for (const replica of this.context.replicasForTopic(topic)) {
        if (!this.context.isReplicaOnline(replica.replica, replica)) {
          dead.push(replica);
          ineligible.add(topic);
        } else if (this.context.replicaState(replica) !== 'ReplicaDeletionSuccessful') {
          toDelete.push(replica);
        }
      }
    }
    const { replicaStateMachine } = this.parts;
    await replicaStateMachine.handleStateChanges(dead, 'ReplicaDeletionIneligible');
    await replicaStateMachine.handleStateChanges(toDelete, 'OfflineReplica');
    await replicaStateMachine.handleStateChanges(toDelete, 'ReplicaDeletionStarted');
    if (ineligible.size > 0) this.markTopicIneligibleForDeletion(ineligible, 'offline replicas');
  }
}

function setText(items: readonly string[]): string {
  return `Set(${items.join(', ')})`;
}
