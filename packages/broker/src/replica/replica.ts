import { offsetOnly } from '@klassic/log';
import type { LogOffsetMetadata } from '@klassic/log';

const unknown = offsetOnly(-1);

/** What a leader knows of one follower. Counterpart of `kafka.cluster.Replica`. */
export class Replica {
  readonly brokerId: number;
  private endOffset: LogOffsetMetadata = unknown;
  private startOffset = -1;
  /** The leader's log end offset at the follower's last fetch. */
  private lastFetchLeaderLogEndOffset = 0;
  private lastFetchTimeMs = 0;
  private caughtUpTimeMs = 0;

  constructor(brokerId: number) {
    this.brokerId = brokerId;
  }

  /** Where the follower's next record goes, as told by its last fetch; -1 before the first. */
  get logEndOffset(): number {
    return this.endOffset.messageOffset;
  }

  get logEndOffsetMetadata(): LogOffsetMetadata {
    return this.endOffset;
  }

  /** -1 before the first fetch. */
  get logStartOffset(): number {
    return this.startOffset;
  }

  /** Latest time (ms) at which the follower is known to have had all that the leader had then. */
  get lastCaughtUpTimeMs(): number {
    return this.caughtUpTimeMs;
  }

  /**
   * Takes note of a fetch. A follower that always fetches what the leader had at its fetch before counts as caught up
   * at that time, though under steady load it never reaches the leader's end.
   */
  updateFetchState(
    fetchOffset: LogOffsetMetadata,
    followerStartOffset: number,
    fetchTimeMs: number,
    leaderEndOffset: number,
  ): void {
    if (fetchOffset.messageOffset >= leaderEndOffset) {
      this.caughtUpTimeMs = Math.max(this.caughtUpTimeMs, fetchTimeMs);
    } else if (fetchOffset.messageOffset >= this.lastFetchLeaderLogEndOffset) {
      this.caughtUpTimeMs = Math.max(this.caughtUpTimeMs, this.lastFetchTimeMs);
    }
    this.startOffset = followerStartOffset;
    this.endOffset = fetchOffset;
    this.lastFetchLeaderLogEndOffset = leaderEndOffset;
    this.lastFetchTimeMs = fetchTimeMs;
  }

  /** A new leader knows nothing yet of where its followers are. */
  forgetFetchState(): void {
    this.updateFetchState(unknown, -1, 0, -1);
  }

  /** Starts the clock of a leader's new epoch: members of the ISR count as caught up now, others as never. */
  resetLastCaughtUpTime(leaderLogEndOffset: number, nowMs: number, lastCaughtUpTimeMs: number): void {
    this.lastFetchLeaderLogEndOffset = leaderLogEndOffset;
    this.lastFetchTimeMs = nowMs;
    this.caughtUpTimeMs = lastCaughtUpTimeMs;
  }
}
