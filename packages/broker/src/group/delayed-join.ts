import type { Cancel, Time } from '@klassic/common';

/** What a `DelayedJoin` needs to know of its group. */
interface JoiningGroup {
  newMemberAdded: boolean;
  readonly hasAllMembersJoined: boolean;
}

/**
 * The end of a join phase: when all members have joined, or when the time is over.
 * Counterpart of `DelayedJoin` and `InitialDelayedJoin`.
 */
export class DelayedJoin {
  private readonly group: JoiningGroup;
  private readonly time: Time;
  private readonly onComplete: () => void;
  /** The first join phase of an empty group runs its full time: more members are likely to come. */
  private readonly isInitial: boolean;
  private completed = false;
  private cancelTimer: Cancel | undefined;

  private constructor(group: JoiningGroup, time: Time, isInitial: boolean, onComplete: () => void) {
    this.group = group;
    this.time = time;
    this.isInitial = isInitial;
    this.onComplete = onComplete;
  }

  /** For a group that has members: at most `rebalanceTimeoutMs`. */
  static rebalance(group: JoiningGroup, time: Time, rebalanceTimeoutMs: number, onComplete: () => void): DelayedJoin {
    const delayed = new DelayedJoin(group, time, false, onComplete);
    delayed.cancelTimer = time.schedule(rebalanceTimeoutMs, () => {
      delayed.complete();
    });
    return delayed;
  }

  /**
   * For an empty group: `delayMs` (`group.initial.rebalance.delay.ms`), and again as long as members came meanwhile, up
   * to `remainingMs` more (KIP-134).
   */
  static initial(
    group: JoiningGroup,
    time: Time,
    delayMs: number,
    remainingMs: number,
    onComplete: () => void,
  ): DelayedJoin {
    const delayed = new DelayedJoin(group, time, true, onComplete);
    delayed.waitForMembers(delayMs, delayMs, remainingMs);
    return delayed;
  }

  /** Completes the phase if everybody is here. */
  tryComplete(): void {
    if (!this.isInitial && this.group.hasAllMembersJoined) this.complete();
  }

  cancel(): void {
    this.completed = true;
    this.cancelTimer?.();
  }

  private waitForMembers(configuredMs: number, delayMs: number, remainingMs: number): void {
    this.cancelTimer = this.time.schedule(delayMs, () => {
      if (this.group.newMemberAdded && remainingMs > 0) {
        this.group.newMemberAdded = false;
        const nextMs = Math.min(configuredMs, remainingMs);
        this.waitForMembers(configuredMs, nextMs, Math.max(remainingMs - delayMs, 0));
      } else {
        this.complete();
      }
    });
  }

  private complete(): void {
    if (this.completed) return;
    this.cancel();
    this.onComplete();
  }
}
