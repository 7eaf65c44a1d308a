import type { Cancel, Time } from '@klassic/common';
import type { ControllerParts } from './controller-parts.ts';
import type { LeaderElections } from './leader-elections.ts';

/** The first check of the leader balance comes this long after election, in milliseconds. */
const FIRST_CHECK_MS = 5000;

/** Checks the leader balance every `leader.imbalance.check.interval.seconds` while this broker is the controller. */
export class AutoLeaderRebalance {
  private readonly parts: ControllerParts;
  private readonly leaderElections: LeaderElections;
  private readonly time: Time;
  private cancel: Cancel | undefined;

  constructor(parts: ControllerParts, leaderElections: LeaderElections, time: Time) {
    this.parts = parts;
    this.leaderElections = leaderElections;
    this.time = time;
  }

  /** On election; without effect where `auto.leader.rebalance.enable` is off. */
  start(): void {
    this.parts.log.info('Starting the controller scheduler');
    if (this.parts.config.autoLeaderRebalanceEnable) this.schedule(FIRST_CHECK_MS);
  }

  /** On resignation. */
  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  /** A check; the next one comes whether it went well or not. */
  async process(): Promise<void> {
    try {
      this.parts.log.info('Processing automatic preferred replica leader election');
      await this.leaderElections.checkAndTriggerAutoLeaderRebalance();
    } finally {
      this.schedule(this.parts.config.leaderImbalanceCheckIntervalSeconds * 1000);
    }
  }

  private schedule(delayMs: number): void {
    this.cancel?.();
    this.cancel = this.time.schedule(delayMs, () =>
      this.parts.putEvent({ kind: 'AutoPreferredReplicaLeaderElection' }),
    );
  }
}
