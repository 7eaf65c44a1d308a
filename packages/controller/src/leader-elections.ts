import type { TopicPartition } from '@klassic/common';
import { ControllerMovedError, noLeader } from '@klassic/zookeeper';
import { keyOf } from './controller-context.ts';
import type { ElectionResults, ElectionTrigger, ElectionType } from './controller-events.ts';
import type { ControllerParts } from './controller-parts.ts';
import { preferredReplicaPartitionLeaderElection } from './partition-leader-election-algorithms.ts';
import type { ElectionOutcome } from './partition-state-machine.ts';
import { StateChangeFailedError } from './state-change-failed-error.ts';

/** Elections that somebody asked for: by request, by `/admin/preferred_replica_election`, or by the balance check. */
export class LeaderElections {
  private readonly parts: ControllerParts;

  constructor(parts: ControllerParts) {
    this.parts = parts;
  }

  /**
   * Elects leaders for the partitions, or for those of the znode.
   *
   * @returns per partition its leader or the error of the request; undefined where there was no znode
   */
  async processReplicaLeaderElection(
    asked: readonly TopicPartition[] | undefined,
    type: ElectionType,
    trigger: ElectionTrigger,
  ): Promise<ElectionResults | undefined> {
    const { context, store, watches, log } = this.parts;
    if (trigger !== 'AdminClientTriggered' && !(await watches.watchPreferredReplicaElection())) return undefined;
    const partitions = asked ?? (await store.getPreferredReplicaElection());
    const results: ElectionResults = new Map();
    const electable: TopicPartition[] = [];
    for (const partition of partitions) {
      const key = keyOf(partition);
      if (!context.hasPartition(partition)) {
        log.info(
          `Skipping replica leader election (${type}) for partition ${key} by ${trigger} since it doesn't exist.`,
        );
        results.set(key, { error: 'UNKNOWN_TOPIC_OR_PARTITION', message: 'The partition does not exist.' });
      } else if (context.isTopicQueuedUpForDeletion(partition.topic)) {
        log.warn(
          `Skipping replica leader election (${type}) for partitions ${key} by ${trigger} since the respective topics are being deleted`,
        );
        results.set(key, { error: 'INVALID_TOPIC_EXCEPTION', message: 'The topic is being deleted' });
      } else if (!this.needsElection(partition, type)) {
        results.set(key, { error: 'ELECTION_NOT_NEEDED', message: null });
      } else {
        electable.push(partition);
      }
    }
    for (const [key, outcome] of await this.onReplicaElection(electable, type, trigger)) {
      if (!(outcome instanceof Error)) {
        results.set(key, { leader: outcome.leader });
      } else if (outcome instanceof StateChangeFailedError) {
        const error = type === 'PREFERRED' ? 'PREFERRED_LEADER_NOT_AVAILABLE' : 'ELIGIBLE_LEADERS_NOT_AVAILABLE';
        results.set(key, { error, message: outcome.message });
      } else {
        results.set(key, { error: 'UNKNOWN_SERVER_ERROR', message: outcome.message });
      }
    }
    return results;
  }

  /** On election of the controller: takes up a preferred replica election that the one before did not finish. */
  async resumePreferredReplicaElection(): Promise<void> {
    const { context, store, log } = this.parts;
    const asked = await store.getPreferredReplicaElection();
    const isCompleted = (partition: TopicPartition): boolean => {
      const preferred = context.partitionReplicaAssignment(partition)[0];
      return preferred === undefined || context.partitionLeadershipInfo(partition)?.leaderAndIsr.leader === preferred;
    };
    const completed = asked.filter(isCompleted);
    const open = asked.filter((partition) => !isCompleted(partition));
    const skipped = open.filter(({ topic }) => context.isTopicQueuedUpForDeletion(topic));
    const pending = open.filter(({ topic }) => !context.isTopicQueuedUpForDeletion(topic));
    const text = (partitions: readonly TopicPartition[]): string => partitions.map(keyOf).join(',');
    log.info(`Partitions undergoing preferred replica election: ${text(asked)}`);
    log.info(`Partitions that completed preferred replica election: ${text(completed)}`);
    log.info(`Skipping preferred replica election for partitions due to topic deletion: ${text(skipped)}`);
    log.info(`Resuming preferred replica election for partitions: ${text(pending)}`);
    await this.onReplicaElection(pending, 'PREFERRED', 'ZkTriggered');
  }

  /** Elects preferred replicas on each broker that leads too few of the partitions that prefer it. */
  async checkAndTriggerAutoLeaderRebalance(): Promise<void> {
    const { config, context, log } = this.parts;
    log.trace('Checking need to trigger auto leader balancing');
    const byPreferred = new Map<number, TopicPartition[]>();
    for (const partition of context.allPartitions) {
      const preferred = context.partitionReplicaAssignment(partition)[0];
      if (preferred === undefined || context.isTopicQueuedUpForDeletion(partition.topic)) continue;
      const preferring = byPreferred.get(preferred);
      if (preferring === undefined) byPreferred.set(preferred, [partition]);
      else preferring.push(partition);
    }
    for (const [brokerId, partitions] of byPreferred) {
      const elsewhere = partitions.filter((partition) => {
        const info = context.partitionLeadershipInfo(partition);
        return info !== undefined && info.leaderAndIsr.leader !== brokerId;
      });
      log.debug(`Topics not in preferred replica for broker ${brokerId} ${elsewhere.map(keyOf).join(',')}`);
      const imbalanceRatio = elsewhere.length / partitions.length;
      log.trace(`Leader imbalance ratio for broker ${brokerId} is ${imbalanceRatio}`);
      if (imbalanceRatio <= config.leaderImbalancePerBrokerPercentage / 100) continue;
      const candidates = elsewhere.filter(
        (partition) => context.partitionsBeingReassigned.size === 0 && this.canPreferredReplicaBeLeader(partition),
      );
      await this.onReplicaElection(candidates, 'PREFERRED', 'AutoTriggered');
    }
  }

  private needsElection(partition: TopicPartition, type: ElectionType): boolean {
    const { context } = this.parts;
    const leader = context.partitionLeadershipInfo(partition)?.leaderAndIsr.leader ?? noLeader;
    if (type === 'PREFERRED') return leader !== context.partitionReplicaAssignment(partition)[0];
    return leader === noLeader || !context.liveBrokerIds.includes(leader);
  }

  private canPreferredReplicaBeLeader(partition: TopicPartition): boolean {
    const { context } = this.parts;
    const assignment = context.partitionReplicaAssignment(partition);
    const live = assignment.filter((id) => context.isReplicaOnline(id, partition));
    const { isr } = context.partitionLeadershipInfo(partition)!.leaderAndIsr;
    return preferredReplicaPartitionLeaderElection(assignment, isr, new Set(live)) !== undefined;
  }

  private async onReplicaElection(
    partitions: readonly TopicPartition[],
    type: ElectionType,
    trigger: ElectionTrigger,
  ): Promise<ElectionOutcome> {
    const { partitionStateMachine, log } = this.parts;
    log.info(
      `Starting replica leader election (${type}) for partitions ${partitions.map(keyOf).join(',')} triggered by ${trigger}`,
    );
    // Only a request may elect an unclean leader against the topic's setting (KIP-460).
    const strategy =
      type === 'PREFERRED'
        ? ({ kind: 'preferred' } as const)
        : ({ kind: 'offline', allowUnclean: trigger === 'AdminClientTriggered' } as const);
    try {
      const outcome = await partitionStateMachine.handleStateChanges(partitions, 'OnlinePartition', strategy);
      if (trigger === 'AdminClientTriggered') return outcome;
      for (const [key, result] of outcome) {
        if (result instanceof ControllerMovedError) throw result;
        if (result instanceof Error) {
          log.error(`Error completing replica leader election (${type}) for partition ${key}`, result);
        }
      }
      return outcome;
    } finally {
      if (trigger !== 'AdminClientTriggered') await this.finishElection(partitions, trigger);
    }
  }

  private async finishElection(partitions: readonly TopicPartition[], trigger: ElectionTrigger): Promise<void> {
    const { context, store, log, putEvent } = this.parts;
    for (const partition of partitions) {
      const leader = context.partitionLeadershipInfo(partition)?.leaderAndIsr.leader;
      const preferred = context.partitionReplicaAssignment(partition)[0];
      const key = keyOf(partition);
      if (leader === preferred) {
        log.info(`Partition ${key} completed preferred replica leader election. New leader is ${preferred}`);
      } else {
        log.warn(
          `Partition ${key} failed to complete preferred replica leader election to ${preferred}. Leader is still ${leader}`,
        );
      }
    }
    if (trigger === 'AutoTriggered') return;
    await store.deletePreferredReplicaElection(context.epochZkVersion);
    // The watch on the znode is set anew by this event.
    putEvent({ kind: 'ReplicaLeaderElection', electionType: 'PREFERRED', trigger: 'ZkTriggered' });
  }
}
