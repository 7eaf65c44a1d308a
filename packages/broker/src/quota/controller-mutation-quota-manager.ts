import type { RateConfig } from '@klassic/network';
import type { QuotaClient } from './client-quota-manager.ts';
import { QuotaLimits } from './quota-limits.ts';
import type { QuotaEntity, QuotaMatch } from './quota-limits.ts';
import { QuotaSensors } from './quota-sensors.ts';
import { TokenBucket } from './token-bucket.ts';

/** The quota of one request that makes or deletes partitions. */
export interface ControllerMutationQuota {
  /**
   * Counts partitions.
   *
   * @returns false when the quota was used up before, and this request's version can be told so: nothing is counted then
   */
  record(partitions: number, nowMs: number): boolean;
  /** How long the client is to be held back, ms. */
  throttleTimeMs(nowMs: number): number;
}

const unbounded: ControllerMutationQuota = { record: () => true, throttleTimeMs: () => 0 };

/**
 * How many partitions a user or client id may have made and deleted per second (`controller_mutation_rate`, KIP-599).
 * Counterpart of `kafka.server.ControllerMutationQuotaManager`.
 */
export class ControllerMutationQuotaManager {
  private readonly limits = new QuotaLimits();
  private readonly sensors: QuotaSensors<TokenBucket>;

  /** @param config `controller.quota.window.num` and `controller.quota.window.size.seconds` */
  constructor(config: RateConfig) {
    this.sensors = new QuotaSensors(() => new TokenBucket(config));
  }

  /** @param limit partitions per second; undefined takes the quota away */
  updateQuota(entity: QuotaEntity, limit: number | undefined): void {
    this.limits.update(entity, limit);
  }

  /**
   * @param isStrict whether the client can be told THROTTLING_QUOTA_EXCEEDED; others are let through, and held back after
   */
  newQuotaFor({ user, clientId }: QuotaClient, isStrict: boolean, nowMs: number): ControllerMutationQuota {
    const match = this.limits.match(user, clientId);
    if (match === undefined) return unbounded;
    return new BucketQuota(this.sensors.of(match, nowMs).meter, match, isStrict);
  }
}

class BucketQuota implements ControllerMutationQuota {
  private readonly bucket: TokenBucket;
  private readonly rate: number;
  private readonly isStrict: boolean;
  private throttledUntilMs = 0;

  constructor(bucket: TokenBucket, { limit }: QuotaMatch, isStrict: boolean) {
    this.bucket = bucket;
    this.rate = limit;
    this.isStrict = isStrict;
  }

  record(partitions: number, nowMs: number): boolean {
    const isUsedUp = this.bucket.measure(this.rate, nowMs) < 0;
    const refused = this.isStrict && isUsedUp;
    if (!refused) this.bucket.record(partitions, this.rate, nowMs);
    // A strict one holds the client back only when it has refused it something.
    if (refused || !this.isStrict) this.throttledUntilMs = nowMs + this.bucket.throttleTimeMs(this.rate, nowMs);
    return !refused;
  }

  throttleTimeMs(nowMs: number): number {
    return Math.max(0, this.throttledUntilMs - nowMs);
  }
}
