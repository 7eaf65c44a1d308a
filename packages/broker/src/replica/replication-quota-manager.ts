import type { Time } from '@klassic/common';

/** `replication.quota.window.num` and `replication.quota.window.size.seconds`, or their like for moves between log dirs. */
export interface ReplicationQuotaConfig {
  readonly numQuotaSamples: number;
  readonly quotaWindowSizeSeconds: number;
}

interface Sample {
  startMs: number;
  bytes: number;
}

/**
 * How many bytes a second replication may move, and how many it does: a rate over the last windows. Whoever moves bytes
 * asks first and records afterwards, so that the rate is kept on average. Counterpart of
 * `kafka.server.ReplicationQuotaManager` (KIP-73), with `SimpleRate` as its measure.
 */
export class ReplicationQuotaManager {
  private readonly time: Time;
  private readonly windowMs: number;
  private readonly numSamples: number;
  /** Oldest first. */
  private samples: Sample[] = [];
  private limit = Infinity;

  constructor(time: Time, { numQuotaSamples, quotaWindowSizeSeconds }: ReplicationQuotaConfig) {
    this.time = time;
    this.windowMs = quotaWindowSizeSeconds * 1000;
    this.numSamples = numQuotaSamples;
  }

  /** Bytes per second; Infinity without a limit. */
  get upperBound(): number {
    return this.limit;
  }

  /** @param bytesPerSecond the new limit; undefined for none */
  updateQuota(bytesPerSecond: number | undefined): void {
    this.limit = bytesPerSecond ?? Infinity;
  }

  /** Bytes per second over the windows that are not yet too old. */
  get rate(): number {
    const nowMs = this.time.milliseconds();
    this.purge(nowMs);
    const oldest = this.samples[0];
    if (oldest === undefined) return 0;
    let bytes = 0;
    for (const sample of this.samples) bytes += sample.bytes;
    return (bytes * 1000) / Math.max(nowMs - oldest.startMs, this.windowMs);
  }

  get isQuotaExceeded(): boolean {
    return this.limit !== Infinity && this.rate > this.limit;
  }

  /** Counts bytes that were moved. */
  record(bytes: number): void {
    const nowMs = this.time.milliseconds();
    const last = this.samples.at(-1);
    if (last !== undefined && nowMs - last.startMs < this.windowMs) last.bytes += bytes;
    else this.samples.push({ startMs: nowMs, bytes });
    this.purge(nowMs);
  }

  private purge(nowMs: number): void {
    const oldestMs = nowMs - this.numSamples * this.windowMs;
    while (this.samples[0] !== undefined && this.samples[0].startMs <= oldestMs) this.samples.shift();
  }
}

/** The three limits on what a broker's replication moves. */
export interface ReplicationQuotas {
  /** `leader.replication.throttled.rate`: to followers that are not in sync. */
  readonly leader: ReplicationQuotaManager;
  /** `follower.replication.throttled.rate`: from leaders. */
  readonly follower: ReplicationQuotaManager;
  /** `replica.alter.log.dirs.io.max.bytes.per.second`: between log dirs. */
  readonly alterLogDirs: ReplicationQuotaManager;
}
