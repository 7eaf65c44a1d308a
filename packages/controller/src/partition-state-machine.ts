import type { Logger, LoggerFactory, TopicPartition } from '@klassic/common';
import { invariant, prefixed } from '@klassic/common';
import type { LeaderAndIsr, LeaderIsrAndControllerEpoch } from '@klassic/zookeeper';
import { ControllerMovedError, ZooKeeperError } from '@klassic/zookeeper';
import type { ControllerBrokerRequestBatch } from './controller-broker-request-batch.ts';
import type { ControllerConfig } from './controller-config.ts';
import type { ControllerContext } from './controller-context.ts';
import { keyOf } from './controller-context.ts';
import type { ControllerStore } from './controller-store.ts';
import type { ElectionResult, PartitionLeaderElectionStrategy } from './election.ts';
import {
  leaderForControlledShutdown,
  leaderForOffline,
  leaderForPreferredReplica,
  leaderForReassign,
} from './election.ts';
import { initialLeaderAndIsr, leaderAndIsrText } from './leader-and-isr.ts';
import { isOperatingError } from './operating-error.ts';
import { StateChangeFailedError } from './state-change-failed-error.ts';
import type { StateChangeLogger } from './state-change-logger.ts';
import type { PartitionState } from './states.ts';
import { partitionStatesTable } from './states.ts';
import { uncleanLeaderElectionByTopic } from './unclean-leader-election.ts';

/** Of each partition that was to be elected a leader for: its new state, or why it has none. */
export type ElectionOutcome = Map<string, LeaderAndIsr | Error>;

export interface StateMachineParts {
  readonly config: ControllerConfig;
  readonly context: ControllerContext;
  readonly store: ControllerStore;
  readonly batch: ControllerBrokerRequestBatch;
  readonly stateChangeLogger: StateChangeLogger;
  readonly loggers: LoggerFactory;
}

/**
 * Moves partitions between their states; on the way to OnlinePartition it elects leaders, writes them to ZooKeeper and
 * tells the brokers (`kafka.controller.PartitionStateMachine`). `states.ts` has the table of valid moves.
 */
export class PartitionStateMachine {
  private readonly config: ControllerConfig;
  private readonly context: ControllerContext;
  private readonly store: ControllerStore;
  private readonly batch: ControllerBrokerRequestBatch;
  private readonly stateChangeLogger: StateChangeLogger;
  private readonly log: Logger;

  constructor({ config, context, store, batch, stateChangeLogger, loggers }: StateMachineParts) {
    this.config = config;
    this.context = context;
    this.store = store;
    this.batch = batch;
    this.stateChangeLogger = stateChangeLogger;
    this.log = prefixed(
      loggers('kafka.controller.ZkPartitionStateMachine'),
      `[PartitionStateMachine controllerId=${config.brokerId}] `,
    );
  }

  /** On election: gives every partition the state that its leader implies, and elects where there is none. */
  async startup(): Promise<void> {
    this.log.info('Initializing partition state');
    for (const partition of this.context.allPartitions) {
      const info = this.context.partitionLeadershipInfo(partition);
      if (info === undefined) this.context.putPartitionState(partition, 'NewPartition');
      else if (this.context.isReplicaOnline(info.leaderAndIsr.leader, partition)) {
        this.context.putPartitionState(partition, 'OnlinePartition');
      } else this.context.putPartitionState(partition, 'OfflinePartition');
    }
    this.log.info('Triggering online partition state changes');
    await this.triggerOnlinePartitionStateChange();
  }

  shutdown(): void {
    this.log.info('Stopped partition state machine');
  }

  /** Tries to elect a leader for every new or offline partition (of one topic), those of topics to be deleted left out. */
  async triggerOnlinePartitionStateChange(topic?: string): Promise<void> {
    const partitions = this.context
      .partitionsInStates(['OfflinePartition', 'NewPartition'], topic)
      .filter((partition) => !this.context.isTopicQueuedUpForDeletion(partition.topic));
    await this.handleStateChanges(partitions, 'OnlinePartition', { kind: 'offline', allowUnclean: false });
  }

  /**
   * Moves partitions to a state; those for which the move is not valid stay, with an error in the log.
   *
   * @param strategy how leaders are elected; needed for OnlinePartition
   * @returns what the elections gave (initial leaders of new partitions are not among them)
   * @throws ControllerMovedError when another controller has been elected
   */
  async handleStateChanges(
    partitions: readonly TopicPartition[],
    target: PartitionState,
    strategy?: PartitionLeaderElectionStrategy,
  ): Promise<ElectionOutcome> {
    if (partitions.length === 0) return new Map();
    this.batch.newBatch();
    try {
      const outcome = await this.doHandleStateChanges(partitions, target, strategy);
      this.batch.sendRequestsToBrokers(this.context.epoch);
      return outcome;
    } catch (error) {
      this.batch.clear();
      if (error instanceof ControllerMovedError) {
        this.log.error(`Controller moved to another broker when moving some partitions to ${target} state`, error);
        throw error;
      }
      if (!isOperatingError(error)) throw error;
      this.log.error(`Error while moving some partitions to ${target} state`, error);
      return new Map(partitions.map((partition) => [keyOf(partition), error]));
    }
  }

  private async doHandleStateChanges(
    partitions: readonly TopicPartition[],
    target: PartitionState,
    strategy: PartitionLeaderElectionStrategy | undefined,
  ): Promise<ElectionOutcome> {
    const log = this.stateChangeLogger.withControllerEpoch(this.context.epoch);
    for (const partition of partitions) {
      if (!this.context.mayBecome(partition, target)) this.logInvalidTransition(partition, target);
    }
    const valid = partitions.filter((partition) => this.context.mayBecome(partition, target));
    switch (target) {
      case 'NewPartition':
        for (const partition of valid) {
          log.info(
            `Changed partition ${keyOf(partition)} state from ${this.context.partitionState(partition)} to ${target} ` +
              `with assigned replicas ${this.context.partitionReplicaAssignment(partition).join(',')}`,
          );
          this.context.putPartitionState(partition, target);
        }
        return new Map();
      case 'OnlinePartition':
        return this.bringOnline(valid, strategy, log);
      case 'OfflinePartition':
      case 'NonExistentPartition':
        for (const partition of valid) {
          log.trace(
            `Changed partition ${keyOf(partition)} state from ${this.context.partitionState(partition)} to ${target}`,
          );
          this.context.putPartitionState(partition, target);
        }
        return new Map();
    }
  }

  private async bringOnline(
    partitions: readonly TopicPartition[],
    strategy: PartitionLeaderElectionStrategy | undefined,
    log: Logger,
  ): Promise<ElectionOutcome> {
    const isNew = (partition: TopicPartition): boolean => this.context.partitionState(partition) === 'NewPartition';
    const uninitialized = partitions.filter(isNew);
    const toElect = partitions.filter((partition) => !isNew(partition));
    if (uninitialized.length > 0) {
      for (const partition of await this.initializeLeaderAndIsrForPartitions(uninitialized)) {
        const { leaderAndIsr } = this.context.partitionLeadershipInfo(partition)!;
        this.becameOnline(partition, leaderAndIsr, log);
      }
    }
    if (toElect.length === 0) return new Map();
    invariant(strategy !== undefined, 'a partition comes online by an election strategy');
    const outcome = await this.electLeaderForPartitions(toElect, strategy);
    for (const partition of toElect) {
      const result = outcome.get(keyOf(partition));
      if (result !== undefined && !(result instanceof Error)) this.becameOnline(partition, result, log);
    }
    return outcome;
  }

  private becameOnline(partition: TopicPartition, state: LeaderAndIsr, log: Logger): void {
    log.info(
      `Changed partition ${keyOf(partition)} from ${this.context.partitionState(partition)} to OnlinePartition ` +
        `with state ${leaderAndIsrText(state)}`,
    );
    this.context.putPartitionState(partition, 'OnlinePartition');
  }

  /** Writes the first state of new partitions: the first live replica leads, all live ones are in sync. */
  private async initializeLeaderAndIsrForPartitions(partitions: readonly TopicPartition[]): Promise<TopicPartition[]> {
    const states = new Map<string, LeaderIsrAndControllerEpoch>();
    const byKey = new Map<string, TopicPartition>();
    for (const partition of partitions) {
      const replicas = this.context.partitionReplicaAssignment(partition);
      const live = replicas.filter((id) => this.context.isReplicaOnline(id, partition));
      if (live[0] === undefined) {
        const text =
          `Controller ${this.config.brokerId} epoch ${this.context.epoch} encountered error during state change of ` +
          `partition ${keyOf(partition)} from New to Online, assigned replicas are [${replicas.join(',')}], live brokers ` +
          `are [${this.context.liveBrokerIds.join(',')}]. No assigned replica is alive.`;
        this.logFailedStateChange(partition, 'NewPartition', 'OnlinePartition', new StateChangeFailedError(text));
        continue;
      }
      byKey.set(keyOf(partition), partition);
      states.set(keyOf(partition), {
        leaderAndIsr: initialLeaderAndIsr(live[0], live),
        controllerEpoch: this.context.epoch,
      });
    }
    const created: TopicPartition[] = [];
    if (states.size === 0) return created;
    const responses = await this.store.createTopicPartitionStatesRaw(states, this.context.epochZkVersion);
    for (const { partition, response } of responses) {
      const state = states.get(keyOf(partition));
      if (state === undefined) continue;
      if (response.code !== 'OK') {
        this.logFailedStateChange(
          partition,
          'NewPartition',
          'OnlinePartition',
          new ZooKeeperError(response.code, response.path),
        );
        continue;
      }
      this.context.putPartitionLeadershipInfo(partition, state);
      const assignment = this.context.partitionFullReplicaAssignment(partition);
      this.batch.addLeaderAndIsrRequestForBrokers(state.leaderAndIsr.isr, partition, state, assignment, true);
      created.push(partition);
    }
    return created;
  }

  /** Elects until no write was refused for a version that the partition's leader had moved on. */
  private async electLeaderForPartitions(
    partitions: readonly TopicPartition[],
    strategy: PartitionLeaderElectionStrategy,
  ): Promise<ElectionOutcome> {
    const outcome: ElectionOutcome = new Map();
    let remaining = partitions;
    while (remaining.length > 0) {
      const { finished, retry } = await this.doElectLeaderForPartitions(remaining, strategy);
      for (const partition of remaining) {
        const result = finished.get(keyOf(partition));
        if (result === undefined) continue;
        outcome.set(keyOf(partition), result);
        if (result instanceof Error) {
          this.logFailedStateChange(partition, this.context.partitionState(partition), 'OnlinePartition', result);
        }
      }
      remaining = remaining.filter((partition) => retry.has(keyOf(partition)));
      if (remaining.length > 0) {
        this.log.info(
          `Retrying leader election with strategy ${strategy.kind} for partitions ${remaining.map(keyOf).join(',')}`,
        );
      }
    }
    return outcome;
  }

  private async doElectLeaderForPartitions(
    partitions: readonly TopicPartition[],
    strategy: PartitionLeaderElectionStrategy,
  ): Promise<{ finished: ElectionOutcome; retry: ReadonlySet<string> }> {
    const finished: ElectionOutcome = new Map();
    const states = await this.store.getTopicPartitionStates(partitions);
    const electable: { partition: TopicPartition; current: LeaderAndIsr }[] = [];
    for (const partition of partitions) {
      const key = keyOf(partition);
      const state = states.get(key);
      if (state === undefined) {
        const text = `LeaderAndIsr information doesn't exist for partition ${key} in ${this.context.partitionState(partition)} state`;
        finished.set(key, new StateChangeFailedError(text));
      } else if (state.controllerEpoch > this.context.epoch) {
        const text =
          `Aborted leader election for partition ${key} since the LeaderAndIsr path was already written by another ` +
          `controller. This probably means that the current controller ${this.config.brokerId} went through a soft ` +
          `failure and another controller was elected with epoch ${state.controllerEpoch}.`;
        finished.set(key, new StateChangeFailedError(text));
      } else {
        electable.push({ partition, current: state.leaderAndIsr });
      }
    }
    const elections = await this.elect(electable, strategy);
    const updates = new Map<string, LeaderAndIsr>();
    for (const [key, { leaderAndIsr }] of elections) {
      if (leaderAndIsr === undefined) {
        const text = `Failed to elect leader for partition ${key} under strategy ${strategyText(strategy)}`;
        finished.set(key, new StateChangeFailedError(text));
      } else {
        updates.set(key, leaderAndIsr);
      }
    }
    if (updates.size === 0) return { finished, retry: new Set() };
    const { epoch, epochZkVersion } = this.context;
    const written = await this.store.updateLeaderAndIsr(updates, epoch, epochZkVersion);
    for (const { partition } of electable) {
      const key = keyOf(partition);
      const result = written.finished.get(key);
      if (result === undefined) continue;
      finished.set(key, result);
      if (result instanceof Error) continue;
      const state = { leaderAndIsr: result, controllerEpoch: epoch };
      this.context.putPartitionLeadershipInfo(partition, state);
      const assignment = this.context.partitionFullReplicaAssignment(partition);
      const { recipients } = elections.get(key)!;
      this.batch.addLeaderAndIsrRequestForBrokers(recipients, partition, state, assignment, false);
    }
    return { finished, retry: new Set(written.partitionsToRetry) };
  }

  private async elect(
    electable: readonly { partition: TopicPartition; current: LeaderAndIsr }[],
    strategy: PartitionLeaderElectionStrategy,
  ): Promise<Map<string, ElectionResult>> {
    const unclean =
      strategy.kind === 'offline' ? await this.uncleanElections(electable, strategy.allowUnclean) : undefined;
    const results = new Map<string, ElectionResult>();
    for (const { partition, current } of electable) {
      const key = keyOf(partition);
      const input = {
        assignment: this.context.partitionFullReplicaAssignment(partition),
        current,
        isOnline: (id: number) => this.context.isReplicaOnline(id, partition),
        isOnlineOrShuttingDown: (id: number) => this.context.isReplicaOnline(id, partition, true),
        shuttingDownBrokers: this.context.shuttingDownBrokerIds,
      };
      switch (strategy.kind) {
        case 'offline': {
          const allowed = unclean?.get(key) ?? false;
          if (allowed instanceof Error) {
            this.logFailedStateChange(partition, this.context.partitionState(partition), 'OnlinePartition', allowed);
            results.set(key, { leaderAndIsr: undefined, recipients: [] });
            break;
          }
          const result = leaderForOffline(input, allowed);
          const leader = result.leaderAndIsr?.leader;
          if (leader !== undefined && !current.isr.includes(leader)) this.context.uncleanLeaderElections += 1;
          results.set(key, result);
          break;
        }
        case 'reassign':
          results.set(key, leaderForReassign(input));
          break;
        case 'preferred':
          results.set(key, leaderForPreferredReplica(input));
          break;
        case 'controlledShutdown':
          results.set(key, leaderForControlledShutdown(input));
          break;
      }
    }
    return results;
  }

  /** Of partitions without a live in-sync replica, by key: whether the caller, or the topic, lets any other lead. */
  private async uncleanElections(
    electable: readonly { partition: TopicPartition; current: LeaderAndIsr }[],
    allowUnclean: boolean,
  ): Promise<Map<string, boolean | Error>> {
    const withoutInSync = electable
      .filter(({ partition, current }) => !current.isr.some((id) => this.context.isReplicaOnline(id, partition)))
      .map(({ partition }) => partition);
    if (allowUnclean) return new Map(withoutInSync.map((partition) => [keyOf(partition), true]));
    const topics = withoutInSync.map(({ topic }) => topic);
    const byTopic = await uncleanLeaderElectionByTopic(this.store, topics, this.config.uncleanLeaderElectionEnable);
    return new Map(withoutInSync.map((partition) => [keyOf(partition), byTopic.get(partition.topic)!]));
  }

  private logInvalidTransition(partition: TopicPartition, target: PartitionState): void {
    const current = this.context.partitionState(partition);
    const text =
      `Partition ${keyOf(partition)} should be in one of ${partitionStatesTable[target].join(',')} states before moving ` +
      `to ${target} state. Instead it is in ${current} state`;
    this.logFailedStateChange(partition, current, target, new StateChangeFailedError(text));
  }

  private logFailedStateChange(
    partition: TopicPartition,
    current: PartitionState,
    target: PartitionState,
    error: Error,
  ): void {
    this.stateChangeLogger
      .withControllerEpoch(this.context.epoch)
      .error(
        `Controller ${this.config.brokerId} epoch ${this.context.epoch} failed to change state for partition ` +
          `${keyOf(partition)} from ${current} to ${target}`,
        error,
      );
  }
}

function strategyText(strategy: PartitionLeaderElectionStrategy): string {
  switch (strategy.kind) {
    case 'offline':
      return `OfflinePartitionLeaderElectionStrategy(${strategy.allowUnclean})`;
    case 'reassign':
      return 'ReassignPartitionLeaderElectionStrategy';
    case 'preferred':
      return 'PreferredReplicaPartitionLeaderElectionStrategy';
    case 'controlledShutdown':
      return 'ControlledShutdownPartitionLeaderElectionStrategy';
  }
}
