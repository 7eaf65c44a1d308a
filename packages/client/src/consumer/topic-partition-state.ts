import { invariant } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import type { LeaderAndEpoch } from '../metadata/cluster.ts';
import { isSameLeader } from './fetch-position.ts';
import type { FetchPosition } from './fetch-position.ts';
import { fetchStates } from './fetch-state.ts';
import type { FetchState, FetchStateName } from './fetch-state.ts';

/** Where to begin in a partition whose position is not known. */
export type ResetStrategy = 'earliest' | 'latest';

/** One assigned partition as the consumer follows it. Counterpart of `SubscriptionState.TopicPartitionState`. */
export class TopicPartitionState implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  isPaused = false;
  /** As of the last fetch; -1 before. */
  highWatermark = -1;
  private state: FetchState = fetchStates.INITIALIZING;
  private current: FetchPosition | undefined;
  private strategy: ResetStrategy | undefined;
  private nextRetryHiResMs = 0;
  private preferred: { readonly replicaId: number; readonly expireHiResMs: number } | undefined;

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic;
    this.partition = partition;
  }

  get fetchState(): FetchStateName {
    return this.state.name;
  }

  /** Also one that is still to be validated; undefined while there is none. */
  get position(): FetchPosition | undefined {
    return this.current;
  }

  /** One that may be fetched from; undefined otherwise. */
  get validPosition(): FetchPosition | undefined {
    return this.state.hasValidPosition ? this.current : undefined;
  }

  /** How to find the position, while it awaits a reset. */
  get resetStrategy(): ResetStrategy | undefined {
    return this.fetchState === 'AWAIT_RESET' ? this.strategy : undefined;
  }

  /** After a request that failed, or is under way, there is none before this time (`Time.hiResMs`). */
  awaitsRetry(nowHiResMs: number): boolean {
    return nowHiResMs < this.nextRetryHiResMs;
  }

  /** No request for this partition before `hiResMs`, unless its state changes first. */
  setNextAllowedRetry(hiResMs: number): void {
    this.nextRetryHiResMs = hiResMs;
  }

  /** Lets the position be found anew. */
  reset(strategy: ResetStrategy): void {
    if (this.transition('AWAIT_RESET', undefined)) this.strategy = strategy;
  }

  /** Goes on from a position that needs no validation. */
  seekValidated(position: FetchPosition): void {
    this.transition('FETCHING', position);
  }

  /** Goes on from a position that is validated first, where it can be. */
  seekUnvalidated(position: FetchPosition): void {
    this.seekValidated(position);
    this.validate(position);
  }

  /** Records were returned up to `offset` (exclusive), the last of them from a batch of this leader epoch. */
  advance(offset: number, offsetEpoch: number): void {
    const position = this.validPosition;
    invariant(position !== undefined, `${this.topic}-${this.partition} has no valid position to go on from`);
    if (offset > position.offset) this.current = { offset, offsetEpoch, currentLeader: position.currentLeader };
  }

  /** Takes note of the leader that metadata tell; after a change the position awaits validation, where it has an epoch. */
  maybeValidatePosition(leader: LeaderAndEpoch): void {
    if (this.fetchState === 'AWAIT_RESET' || leader.leader === undefined || this.current === undefined) return;
    if (isSameLeader(this.current.currentLeader, leader)) return;
    this.validate({ ...this.current, currentLeader: leader });
    this.preferred = undefined;
  }

  /** The leader's log holds what was read. */
  completeValidation(): void {
    if (this.current !== undefined) this.transition('FETCHING', this.current);
  }

  /** The replica to read from instead of the leader; undefined for none, also when its time is over. */
  preferredReadReplica(nowHiResMs: number): number | undefined {
    if (this.preferred !== undefined && nowHiResMs > this.preferred.expireHiResMs) this.preferred = undefined;
    return this.preferred?.replicaId;
  }

  /** The leader named a replica. Its time begins when it is named first. */
  updatePreferredReadReplica(replicaId: number, expireHiResMs: number): void {
    if (this.preferred?.replicaId !== replicaId) this.preferred = { replicaId, expireHiResMs };
  }

  /** Back to the leader. @returns the replica that was preferred */
  clearPreferredReadReplica(): number | undefined {
    const cleared = this.preferred?.replicaId;
    this.preferred = undefined;
    return cleared;
  }

  private validate(position: FetchPosition): void {
    const canValidate = position.offsetEpoch >= 0 && position.currentLeader.epoch >= 0;
    this.transition(canValidate ? 'AWAIT_VALIDATION' : 'FETCHING', position);
  }

  private transition(to: FetchStateName, position: FetchPosition | undefined): boolean {
    if (!this.state.validTransitions.includes(to)) return false;
    this.state = fetchStates[to];
    invariant(position !== undefined || !this.state.requiresPosition, `${to} needs a position`);
    this.current = position;
    this.nextRetryHiResMs = 0;
    return true;
  }
}
