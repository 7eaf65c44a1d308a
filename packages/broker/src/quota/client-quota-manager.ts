import { SampledRate, throttleTimeMs } from '@klassic/network';
import type { RateConfig } from '@klassic/network';
import { QuotaLimits } from './quota-limits.ts';
import type { QuotaEntity } from './quota-limits.ts';
import { QuotaSensors } from './quota-sensors.ts';
import type { QuotaSensor } from './quota-sensors.ts';

/** Who sent a request, as quotas know it. */
export interface QuotaClient {
  /** The user's name, without `User:`. */
  readonly user: string;
  /** '' where the request has none. */
  readonly clientId: string;
}

/**
 * A quota on a rate, by user and client id: bytes produced or fetched per second, or the share of the thread that requests
 * take. Nothing is counted for whom no quota is set. Counterpart of `kafka.server.ClientQuotaManager`.
 */
export class ClientQuotaManager {
  private readonly config: RateConfig;
  private readonly limits = new QuotaLimits();
  private readonly sensors: QuotaSensors<SampledRate>;
  private readonly maxThrottleMs: number;

  /** @param maxThrottleMs longest throttle time told, ms */
  constructor(config: RateConfig, maxThrottleMs = Infinity) {
    this.config = config;
    this.maxThrottleMs = maxThrottleMs;
    this.sensors = new QuotaSensors(() => new SampledRate(config));
  }

  /** Whether any quota of this kind is set. */
  get isEnabled(): boolean {
    return !this.limits.isEmpty;
  }

  /** What has been measured of late, for the broker's metrics. */
  get measured(): Iterable<QuotaSensor<SampledRate>> {
    return this.sensors.all;
  }

  /** @param limit units per second; undefined takes the quota away */
  updateQuota(entity: QuotaEntity, limit: number | undefined): void {
    this.limits.update(entity, limit);
  }

  /**
   * Counts `value` units.
   *
   * @returns how long the client is to be held back so that its rate is at its quota again, ms
   */
  recordAndGetThrottleTimeMs({ user, clientId }: QuotaClient, value: number, nowMs: number): number {
    const match = this.limits.match(user, clientId);
    if (match === undefined) return 0;
    const sensor = this.sensors.of(match, nowMs);
    sensor.meter.record(value, nowMs);
    sensor.lastThrottleMs = Math.min(throttleTimeMs(sensor.meter, match.limit, nowMs), this.maxThrottleMs);
    return sensor.lastThrottleMs;
  }

  /** Takes units back that were counted and not sent after all: the answer was left empty for a quota. */
  unrecord({ user, clientId }: QuotaClient, value: number, nowMs: number): void {
    const match = this.limits.match(user, clientId);
    if (match !== undefined) this.sensors.of(match, nowMs).meter.record(-value, nowMs);
  }

  /** The most that the client may use within all windows but one; Infinity without a quota. */
  maxValueInQuotaWindow({ user, clientId }: QuotaClient): number {
    const match = this.limits.match(user, clientId);
    if (match === undefined) return Infinity;
    return (match.limit * (this.config.samples - 1) * this.config.windowMs) / 1000;
  }
}
