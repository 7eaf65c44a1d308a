import { FeatureZNode } from '@klassic/zookeeper';
import { keyOf } from './controller-context.ts';
import type { ControllerParts } from './controller-parts.ts';
import type { LeaderElections } from './leader-elections.ts';
import type { PartitionReassignments } from './partition-reassignments.ts';

/** Feature versioning switched off, as brokers with inter.broker.protocol.version below 2.7 leave it (KIP-584). */
const disabledFeatures = { status: 'disabled', features: {} } as const;

/** What a broker does that has just been elected, step by step: watch, read, then tell, then decide. */
export class ControllerFailover {
  private readonly parts: ControllerParts;
  private readonly reassignments: PartitionReassignments;
  private readonly elections: LeaderElections;

  constructor(parts: ControllerParts, reassignments: PartitionReassignments, elections: LeaderElections) {
    this.parts = parts;
    this.reassignments = reassignments;
    this.elections = elections;
  }

  /** @throws ControllerMovedError when another controller is elected meanwhile */
  async onControllerFailover(): Promise<void> {
    const { context, store, watches, topicDeletionManager, sendUpdateMetadataRequest, log } = this.parts;
    await this.disableFeatureVersioning();
    log.info('Registering handlers');
    await watches.watchCluster();
    log.info('Deleting log dir event notifications');
    await store.deleteAllLogDirEventNotifications(context.epochZkVersion);
    log.info('Deleting isr change notifications');
    await store.deleteAllIsrChangeNotifications(context.epochZkVersion);
    log.info('Initializing controller context');
    await this.initializeControllerContext();
    log.info('Fetching topic deletions in progress');
    const deletions = await store.getTopicDeletions();
    const ineligible = this.topicsIneligibleForDeletion();
    log.info(`List of topics to be deleted: ${deletions.join(',')}`);
    log.info(`List of topics ineligible for deletion: ${ineligible.join(',')}`);
    log.info('Initializing topic deletion manager');
    await topicDeletionManager.init(deletions, ineligible);
    log.info('Sending update metadata request');
    // Brokers must know the live ones before LeaderAndIsr tells them to fetch from some.
    sendUpdateMetadataRequest(context.liveOrShuttingDownBrokerIds, []);
    await this.parts.replicaStateMachine.startup();
    await this.parts.partitionStateMachine.startup();
    log.info(`Ready to serve as the new controller with epoch ${context.epoch}`);
    await this.reassignments.initialize();
    await topicDeletionManager.tryTopicDeletion();
    await this.elections.resumePreferredReplicaElection();
  }

  private async disableFeatureVersioning(): Promise<void> {
    const { store, log } = this.parts;
    const text = `FeatureZNode at path: ${FeatureZNode.path} with contents: FeatureZNode(Disabled,Features{})`;
    const found = await store.getFeatureZNode();
    if (found === undefined) {
      log.info(`Creating ${text}`);
      await store.createFeatureZNode(disabledFeatures);
      await store.getFeatureZNode();
    } else if (found.state.status === 'enabled' || Object.keys(found.state.features).length > 0) {
      log.info(`Updating ${text}`);
      await store.updateFeatureZNode(disabledFeatures);
    }
  }

  private async initializeControllerContext(): Promise<void> {
    const { context, store, watches, channelManager, log } = this.parts;
    for (const { broker, epoch } of (await store.getAllBrokerAndEpochs()).values())
      context.addLiveBroker(broker, epoch);
    log.info(`Initialized broker epochs cache: HashMap(${context.brokerEpochsText()})`);
    context.setAllTopics(await store.getAllTopicsInCluster(true));
    for (const topic of context.allTopics) watches.watchTopic(topic);
    await this.loadAssignments();
    for (const brokerId of context.liveOrShuttingDownBrokerIds) await watches.watchBroker(brokerId);
    const partitions = context.allPartitions;
    const states = partitions.length > 0 ? await store.getTopicPartitionStates(partitions) : new Map<string, never>();
    for (const partition of partitions) {
      const state = states.get(keyOf(partition));
      if (state !== undefined) context.putPartitionLeadershipInfo(partition, state);
    }
    channelManager.startup();
    log.info(`Currently active brokers in the cluster: Set(${context.liveBrokerIds.join(', ')})`);
    log.info(`Currently shutting brokers in the cluster: HashSet(${[...context.shuttingDownBrokerIds].join(', ')})`);
    log.info(`Current list of topics in the cluster: HashSet(${[...context.allTopics].join(', ')})`);
  }

  private async loadAssignments(): Promise<void> {
    const { context, store } = this.parts;
    if (context.allTopics.size === 0) return;
    for (const { topic, topicId, assignment } of await store.getReplicaAssignmentAndTopicIdForTopics(
      context.allTopics,
    )) {
      if (topicId !== null) context.topicIds.set(topic, topicId);
      for (const [index, replicas] of assignment) {
        const partition = { topic, partition: index };
        context.updatePartitionFullReplicaAssignment(partition, replicas);
        if (replicas.addingReplicas.length > 0 || replicas.removingReplicas.length > 0) {
          context.partitionsBeingReassigned.set(keyOf(partition), partition);
        }
      }
    }
  }

  /** Topics with a dead replica or a reassignment under way. */
  private topicsIneligibleForDeletion(): string[] {
    const { context } = this.parts;
    const reassigned = new Set([...context.partitionsBeingReassigned.values()].map(({ topic }) => topic));
    return [...context.allTopics].filter(
      (topic) =>
        reassigned.has(topic) ||
        context.replicasForTopic(topic).some((replica) => !context.isReplicaOnline(replica.replica, replica)),
    );
  }
}
