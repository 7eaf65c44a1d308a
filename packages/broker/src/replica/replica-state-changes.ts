import type { Logger, Time, TopicPartition } from '@klassic/common';
import { prefixed, topicPartitionKey } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import type { RequestOf, ResponseInit } from '@klassic/protocol';
import { describePartitionState, partitionStatesOf, stopReplicaStatesOf } from './controller-requests.ts';
import { LeadershipChanges } from './leadership-changes.ts';
import type { LeadershipChangesOptions } from './leadership-changes.ts';
import { partitionErrors } from './partition-errors.ts';
import type { Partition } from './partition.ts';
import { ReplicaStops } from './replica-stops.ts';
import type { OnReplicaDeleted, ReplicaStopsOptions } from './replica-stops.ts';
import { StateChangeTurns } from './state-change-turns.ts';
import type { Slices } from './state-change-turns.ts';

/** Who takes part in a LeaderAndIsr request. */
export interface LeadershipListener {
  /** Called at the request's turn, before logs are opened: reads ahead what they need. */
  beforeChange?(topics: ReadonlySet<string>): Promise<void>;
  /** Called at its end with the partitions this broker has begun to lead, or to follow. */
  onLeadershipChange(leaders: Partition[], followers: Partition[]): void;
}

/** What the controller's requests are carried out with. */
export interface ReplicaStateChangesOptions extends LeadershipChangesOptions, ReplicaStopsOptions {
  readonly time: Time;
  /** Called after the first LeaderAndIsr, when the high watermarks of this life are known. */
  readonly startHighWatermarkCheckpoints: () => void;
}

/**
 * Carries out the controller's three requests: LeaderAndIsr, StopReplica, UpdateMetadata, strictly one after another. A
 * request of an older controller epoch is refused whole, a partition's of an older or the same leader epoch by itself, so
 * that a request that comes twice changes nothing. Part of the reference's `ReplicaManager`.
 */
export class ReplicaStateChanges {
  private readonly options: ReplicaStateChangesOptions;
  private readonly logger: Logger;
  private readonly turns: StateChangeTurns;
  private readonly leadership: LeadershipChanges;
  private readonly stops: ReplicaStops;
  private controllerEpoch = 0;

  constructor(options: ReplicaStateChangesOptions) {
    this.options = options;
    this.logger = prefixed(options.loggers('state.change.logger'), `[Broker id=${options.brokerId}] `);
    this.turns = new StateChangeTurns(options.time);
    this.leadership = new LeadershipChanges(options);
    this.stops = new ReplicaStops(options, this.logger);
  }

  /** The greatest controller epoch seen. */
  get latestControllerEpoch(): number {
    return this.controllerEpoch;
  }

  /** Carries nothing out any more, not even the rest of what is under way. */
  stop(): void {
    this.turns.stop();
  }

  /** @throws KafkaError STALE_CONTROLLER_EPOCH */
  maybeUpdateMetadataCache(correlationId: number, request: RequestOf<'UpdateMetadata'>): Promise<TopicPartition[]> {
    return this.turns.run(() => {
      if (request.controllerEpoch < this.controllerEpoch) {
        const message =
          `Received update metadata request with correlation id ${correlationId} from an old controller ` +
          `${request.controllerId} with epoch ${request.controllerEpoch}. Latest known controller epoch is ${this.controllerEpoch}`;
        this.logger.warn(message);
        throw new KafkaError(Errors.STALE_CONTROLLER_EPOCH, message);
      }
      const deleted = this.options.metadataCache.updateMetadata(correlationId, request);
      this.controllerEpoch = request.controllerEpoch;
      return deleted;
    });
  }

  becomeLeaderOrFollower(
    correlationId: number,
    request: RequestOf<'LeaderAndIsr'>,
    listener: LeadershipListener,
  ): Promise<ResponseInit<'LeaderAndIsr'>> {
    return this.turns.run(async (slices) => {
      const startMs = this.options.time.milliseconds();
      const { controllerId, controllerEpoch } = request;
      const states = partitionStatesOf(request);
      const from = `correlationId ${correlationId} from controller ${controllerId} for ${states.length} partitions`;
      this.logger.info(`Handling LeaderAndIsr request ${from}`);
      for (const state of this.logger.isEnabled('TRACE') ? states : []) {
        this.logger.trace(
          `Received LeaderAndIsr request ${describePartitionState(state)} correlation id ${correlationId} ` +
            `from controller ${controllerId} epoch ${controllerEpoch}`,
        );
      }
      const response = this.isStale('LeaderAndIsr', controllerId, controllerEpoch, correlationId)
        ? {
            errorCode: Errors.STALE_CONTROLLER_EPOCH.code,
            partitionErrors: states.map(({ topicName, partitionIndex }) => ({
              topicName,
              partitionIndex,
              errorCode: Errors.STALE_CONTROLLER_EPOCH.code,
            })),
          }
        : await this.changeLeadership(correlationId, request, listener, slices);
      const elapsedMs = this.options.time.milliseconds() - startMs;
      this.logger.info(`Finished LeaderAndIsr request in ${elapsedMs}ms ${from}`);
      return response;
    });
  }

  stopReplicas(
    correlationId: number,
    request: RequestOf<'StopReplica'>,
    onReplicaDeleted: OnReplicaDeleted,
  ): Promise<ResponseInit<'StopReplica'>> {
    return this.turns.run(async (slices) => {
      const { controllerId, controllerEpoch } = request;
      const states = stopReplicaStatesOf(request);
      this.logger.info(
        `Handling StopReplica request correlationId ${correlationId} from controller ${controllerId} for ` +
          `${states.length} partitions`,
      );
      for (const state of this.logger.isEnabled('TRACE') ? states : []) {
        const { topicName, partitionIndex, leaderEpoch, deletePartition } = state;
        this.logger.trace(
          `Received StopReplica request StopReplicaPartitionState(partitionIndex=${partitionIndex}, ` +
            `leaderEpoch=${leaderEpoch}, deletePartition=${deletePartition}) correlation id ${correlationId} from ` +
            `controller ${controllerId} epoch ${controllerEpoch} for partition ${topicPartitionKey(topicName, partitionIndex)}`,
        );
      }
      if (this.isStale('StopReplica', controllerId, controllerEpoch, correlationId)) {
        return { errorCode: Errors.STALE_CONTROLLER_EPOCH.code, partitionErrors: [] };
      }
      this.controllerEpoch = controllerEpoch;
      const errors = await this.stops.apply(correlationId, request, states, onReplicaDeleted, slices);
      return { errorCode: Errors.NONE.code, partitionErrors: partitionErrors(states, errors) };
    });
  }

  /** Carries out a change that is no request of the controller's, when it is its turn. */
  inTurn<T>(change: () => T): Promise<T> {
    return this.turns.run(change);
  }

  private isStale(request: string, controllerId: number, controllerEpoch: number, correlationId: number): boolean {
    if (controllerEpoch >= this.controllerEpoch) return false;
    this.logger.warn(
      `Ignoring ${request} request from controller ${controllerId} with correlation id ${correlationId} since its ` +
        `controller epoch ${controllerEpoch} is old. Latest known controller epoch is ${this.controllerEpoch}`,
    );
    return true;
  }

  private async changeLeadership(
    correlationId: number,
    request: RequestOf<'LeaderAndIsr'>,
    listener: LeadershipListener,
    slices: Slices,
  ): Promise<ResponseInit<'LeaderAndIsr'>> {
    this.controllerEpoch = request.controllerEpoch;
    const states = partitionStatesOf(request);
    if (listener.beforeChange !== undefined) {
      await listener.beforeChange(new Set(states.map(({ topicName }) => topicName)));
    }
    const { errors, leaders, followers } = await this.leadership.apply(correlationId, request, slices);
    this.options.startHighWatermarkCheckpoints();
    this.options.fetcherManager.shutdownIdleFetcherThreads();
    listener.onLeadershipChange(leaders, followers);
    return { errorCode: Errors.NONE.code, partitionErrors: partitionErrors(states, errors) };
  }
}
