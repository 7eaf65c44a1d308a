import type { Log } from '@klassic/log';
import type { BrokerEndPoint } from './options.ts';
import type { EpochEndOffset } from './partition-reads.ts';

/** Where a follower begins with a partition. */
export interface InitialFetchState {
  readonly topic: string;
  readonly partition: number;
  readonly leader: BrokerEndPoint;
  readonly currentLeaderEpoch: number;
  /** The local high watermark: below it the logs of leader and follower agree (before KIP-101 the place to truncate to). */
  readonly initOffset: number;
}

/** Where a fetcher stands with a partition. Never changed, only replaced. Counterpart of `PartitionFetchState`. */
export interface PartitionFetchState {
  readonly topic: string;
  readonly partition: number;
  readonly fetchOffset: number;
  readonly currentLeaderEpoch: number;
  /** A follower first finds out where its log parts from the leader's; then it fetches. */
  readonly state: 'Truncating' | 'Fetching';
  /** Nothing is asked for the partition before this time, ms; 0 when there is no delay. */
  readonly delayedUntilMs: number;
  /** Records behind the leader's high watermark; undefined before the first answer. */
  readonly lag: number | undefined;
}

/** Where to truncate to, and whether that settles it or the leader must be asked about an earlier epoch again. */
export interface OffsetTruncationState {
  readonly offset: number;
  readonly truncationCompleted: boolean;
  /** Set when the leader could not tell, or told in a way that older protocols do: worth a warning. */
  readonly warning?: string;
  /** Set when the leader's epoch is unknown here (KIP-279). */
  readonly info?: string;
}

const undefinedOffset = -1;
const undefinedEpoch = -1;

/**
 * Where a follower truncates its log after the leader told the end offset of the follower's last epoch (KIP-101).
 * A leader that does not know that epoch answers with the largest one below it; if the follower does not know that one
 * either, it truncates to the end of its own largest epoch below and asks again (KIP-279).
 *
 * @param initialOffset where fetching would have begun: the local high watermark
 */
export function offsetTruncationState(
  key: string,
  leader: EpochEndOffset,
  log: Pick<Log, 'logEndOffset' | 'endOffsetForEpoch'>,
  initialOffset: number,
): OffsetTruncationState {
  if (leader.endOffset === undefinedOffset) {
    return {
      offset: initialOffset,
      truncationCompleted: true,
      warning:
        `Based on replica's leader epoch, leader replied with an unknown offset in ${key}. ` +
        `The initial fetch offset ${initialOffset} will be used for truncation.`,
    };
  }
  const replicaEndOffset = log.logEndOffset;
  if (leader.leaderEpoch === undefinedEpoch) {
    return {
      offset: Math.min(leader.endOffset, replicaEndOffset),
      truncationCompleted: true,
      warning:
        `Leader or replica is on protocol version where leader epoch is not considered in the OffsetsForLeaderEpoch ` +
        `response. The leader's offset ${leader.endOffset} will be used for truncation in ${key}.`,
    };
  }
  const own = log.endOffsetForEpoch(leader.leaderEpoch);
  if (own === null || own.leaderEpoch === undefinedEpoch || own.offset === undefinedOffset) {
    return {
      offset: Math.min(leader.endOffset, replicaEndOffset),
      truncationCompleted: true,
      warning:
        `Based on replica's leader epoch, leader replied with epoch ${leader.leaderEpoch} below any replica's tracked ` +
        `epochs for ${key}. The leader's offset only ${leader.endOffset} will be used for truncation.`,
    };
  }
  if (own.leaderEpoch === leader.leaderEpoch) {
    return { offset: Math.min(own.offset, leader.endOffset, replicaEndOffset), truncationCompleted: true };
  }
  const intermediate = Math.min(own.offset, replicaEndOffset);
  return {
    offset: intermediate,
    truncationCompleted: false,
    info:
      `Based on replica's leader epoch, leader replied with epoch ${leader.leaderEpoch} unknown to the replica for ` +
      `${key}. Will truncate to ${intermediate} and send another leader epoch request to the leader.`,
  };
}
