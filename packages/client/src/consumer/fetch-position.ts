import type { LeaderAndEpoch } from '../metadata/cluster.ts';

/** Where a consumer stands in a partition. Counterpart of `SubscriptionState.FetchPosition`. */
export interface FetchPosition {
  /** Of the next record to return. */
  readonly offset: number;
  /** Leader epoch of the batch before it; -1 where that is not known, and the position cannot be validated. */
  readonly offsetEpoch: number;
  /** The leader by which the position was found or validated. */
  readonly currentLeader: LeaderAndEpoch;
}

/** Whether two answers name the same leader in the same epoch at the same address. */
export function isSameLeader(one: LeaderAndEpoch, other: LeaderAndEpoch): boolean {
  return (
    one.epoch === other.epoch &&
    one.leader?.id === other.leader?.id &&
    one.leader?.host === other.leader?.host &&
    one.leader?.port === other.leader?.port
  );
}

/** Whether nothing has moved between two looks at a position. */
export function isSamePosition(one: FetchPosition, other: FetchPosition): boolean {
  return (
    one.offset === other.offset &&
    one.offsetEpoch === other.offsetEpoch &&
    isSameLeader(one.currentLeader, other.currentLeader)
  );
}
