import type { TopicPartition } from '@klassic/common';
import { invariant, parseTopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ReplicaAssignment, TopicIdReplicaAssignment } from '@klassic/zookeeper';
import { TopicPartitionsZNode } from '@klassic/zookeeper';
import type { PartitionAndReplica } from './controller-context.ts';
import { keyOf } from './controller-context.ts';
import type { ControllerParts } from './controller-parts.ts';
import { assignmentText } from './replica-assignment.ts';

/** Topics that appear, grow and are to be deleted, as the watches of `/brokers/topics` and `/admin/delete_topics` tell. */
export class TopicChanges {
  private readonly parts: ControllerParts;

  constructor(parts: ControllerParts) {
    this.parts = parts;
  }

  async processTopicChange(): Promise<void> {
    const { context, store, watches, log } = this.parts;
    const topics = await store.getAllTopicsInCluster(true);
    const newTopics = topics.filter((topic) => !context.allTopics.has(topic));
    const deletedTopics = [...context.allTopics].filter((topic) => !topics.includes(topic));
    context.setAllTopics(topics);
    for (const topic of newTopics) watches.watchTopic(topic);
    const added = newTopics.length > 0 ? await store.getReplicaAssignmentAndTopicIdForTopics(newTopics) : [];
    for (const topic of deletedTopics) context.removeTopic(topic);
    const newPartitions: TopicPartition[] = [];
    for (const { topic, topicId, assignment } of added) {
      if (topicId !== null) context.topicIds.set(topic, topicId);
      for (const [partition, replicas] of assignment) {
        newPartitions.push({ topic, partition });
        context.updatePartitionFullReplicaAssignment({ topic, partition }, replicas);
      }
    }
    log.info(
      `New topics: [Set(${newTopics.join(', ')})], deleted topics: [HashSet(${deletedTopics.join(', ')})], ` +
        `new partition replica assignment [Set(${added.map(topicAssignmentText).join(', ')})]`,
    );
    if (added.length > 0) await this.onNewPartitionCreation(newPartitions);
  }

  async processPartitionModifications(topic: string): Promise<void> {
    const { context, store, log } = this.parts;
    const assignments = await store.getFullReplicaAssignmentForTopics([topic]);
    const added: { partition: TopicPartition; assignment: ReplicaAssignment }[] = [];
    for (const [key, assignment] of assignments) {
      const partition = partitionOfKey(key);
      if (context.partitionReplicaAssignment(partition).length === 0) added.push({ partition, assignment });
    }
    if (context.isTopicQueuedUpForDeletion(topic)) {
      if (added.length === 0) {
        log.info('Ignoring partition change during topic deletion as no new partitions are added');
        return;
      }
      const ids = added.map(({ partition }) => partition.partition).join(',');
      log.warn(`Skipping adding partitions ${ids} for topic ${topic} since it is currently being deleted`);
      await this.restorePartitionReplicaAssignment(topic, assignments);
    } else if (added.length > 0) {
      const text = added.map(({ partition, assignment }) => `${keyOf(partition)} -> ${assignmentText(assignment)}`);
      log.info(`New partitions to be added Map(${text.join(', ')})`);
      for (const { partition, assignment } of added)
        context.updatePartitionFullReplicaAssignment(partition, assignment);
      await this.onNewPartitionCreation(added.map(({ partition }) => partition));
    }
  }

  async processTopicDeletion(): Promise<void> {
    const { config, context, store, topicDeletionManager, log } = this.parts;
    const marked = await store.getTopicDeletions();
    log.debug(`Delete topics listener fired for topics ${marked.join(',')} to be deleted`);
    const unknown = marked.filter((topic) => !context.allTopics.has(topic));
    if (unknown.length > 0) {
      log.warn(`Ignoring request to delete non-existing topics ${unknown.join(',')}`);
      await store.deleteTopicDeletions(unknown, context.epochZkVersion);
    }
    const topics = marked.filter((topic) => context.allTopics.has(topic));
    if (!config.deleteTopicEnable) {
      log.info(`Removing Set(${topics.join(', ')}) since delete topic is disabled`);
      await store.deleteTopicDeletions(topics, context.epochZkVersion);
      return;
    }
    if (topics.length === 0) return;
    log.info(`Starting topic deletion for topics ${topics.join(',')}`);
    const reassigned = new Set([...context.partitionsBeingReassigned.values()].map(({ topic }) => topic));
    // As in the original this halts only what is queued already: a topic asked for now is deleted though it is reassigned.
    for (const topic of topics) {
      if (reassigned.has(topic)) {
        topicDeletionManager.markTopicIneligibleForDeletion([topic], 'topic reassignment in progress');
      }
    }
    await topicDeletionManager.enqueueTopicsForDeletion(topics);
  }

  /** A broker has deleted replicas of a topic to be deleted, or failed to. */
  async processStopReplicaResponse(
    replica: number,
    errorCode: number,
    partitionErrors: readonly { readonly partition: TopicPartition; readonly errorCode: number }[],
  ): Promise<void> {
    const { topicDeletionManager, log } = this.parts;
    const text = partitionErrors.map(({ partition, errorCode: code }) => `${keyOf(partition)} -> ${code}`).join(', ');
    log.debug(
      `Delete topic callback invoked on StopReplica response received from broker ${replica}: ` +
        `request error = ${errorCode}, partition errors = Map(${text})`,
    );
    const replicaOf = ({ partition }: { partition: TopicPartition }): PartitionAndReplica => ({
      ...partition,
      replica,
    });
    const failed = (code: number): boolean => errorCode !== Errors.NONE.code || code !== Errors.NONE.code;
    const inError = partitionErrors.filter(({ errorCode: code }) => failed(code)).map(replicaOf);
    const deleted = partitionErrors.filter(({ errorCode: code }) => !failed(code)).map(replicaOf);
    await topicDeletionManager.failReplicaDeletion(inError);
    if (deleted.length > 0) await topicDeletionManager.completeReplicaDeletion(deleted);
  }

  private async onNewPartitionCreation(partitions: readonly TopicPartition[]): Promise<void> {
    const { context, partitionStateMachine, replicaStateMachine, log } = this.parts;
    log.info(`New partition creation callback for ${partitions.map(keyOf).join(',')}`);
    await partitionStateMachine.handleStateChanges(partitions, 'NewPartition');
    const replicas = context.replicasForPartitions(partitions);
    await replicaStateMachine.handleStateChanges(replicas, 'NewReplica');
    await partitionStateMachine.handleStateChanges(partitions, 'OnlinePartition', {
      kind: 'offline',
      allowUnclean: false,
    });
    await replicaStateMachine.handleStateChanges(replicas, 'OnlineReplica');
  }

  /** Takes partitions back that were added to a topic while it is being deleted. */
  private async restorePartitionReplicaAssignment(
    topic: string,
    assignments: ReadonlyMap<string, ReplicaAssignment>,
  ): Promise<void> {
    const { context, store, log } = this.parts;
    log.info(`Restoring the partition replica assignment for topic ${topic}`);
    const existing = await store.getChildren(TopicPartitionsZNode.path(topic));
    const restored = new Map<number, ReplicaAssignment>();
    for (const key of assignments.keys()) {
      const partition = partitionOfKey(key);
      if (existing.includes(String(partition.partition))) {
        restored.set(partition.partition, context.partitionFullReplicaAssignment(partition));
      }
    }
    await store.setTopicAssignment(topic, context.topicIds.get(topic) ?? null, restored, context.epochZkVersion);
  }
}

/** The partition that a key of the store's maps names. */
export function partitionOfKey(key: string): TopicPartition {
  const partition = parseTopicPartition(key);
  invariant(partition !== undefined, () => `${key} is a partition's key`);
  return partition;
}

function topicAssignmentText({ topic, topicId, assignment }: TopicIdReplicaAssignment): string {
  const partitions = [...assignment].map(([id, replicas]) => `${topic}-${id} -> ${assignmentText(replicas)}`);
  const id = topicId === null ? 'None' : `Some(${topicId})`;
  return `TopicIdReplicaAssignment(${topic},${id},Map(${partitions.join(', ')}))`;
}
