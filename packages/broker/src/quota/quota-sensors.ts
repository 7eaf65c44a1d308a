import type { QuotaMatch } from './quota-limits.ts';

/** A sensor that nobody has used for so long is forgotten, ms (`InactiveSensorExpirationTimeSeconds`). */
const EXPIRATION_MS = 60 * 60 * 1000;
/** How often expired ones are looked for, at most, ms. */
const PURGE_MS = 60_000;

export interface QuotaSensor<M> {
  readonly user: string;
  readonly clientId: string;
  /** What is measured: a rate or a token bucket. */
  readonly meter: M;
  /** The throttle time told last, ms. */
  lastThrottleMs: number;
  usedMs: number;
}

/** One meter for each user and client id that a quota counts for, as long as they come (`kafka.server.SensorAccess`). */
export class QuotaSensors<M> {
  private readonly sensors = new Map<string, QuotaSensor<M>>();
  private readonly newMeter: () => M;
  private purgedMs = 0;

  constructor(newMeter: () => M) {
    this.newMeter = newMeter;
  }

  get all(): Iterable<QuotaSensor<M>> {
    return this.sensors.values();
  }

  of({ user, clientId }: QuotaMatch, nowMs: number): QuotaSensor<M> {
    const key = `${user}\u0000${clientId}`;
    let sensor = this.sensors.get(key);
    if (sensor === undefined) {
      this.purge(nowMs);
      sensor = { user, clientId, meter: this.newMeter(), lastThrottleMs: 0, usedMs: nowMs };
      this.sensors.set(key, sensor);
    }
    sensor.usedMs = nowMs;
    return sensor;
  }

  private purge(nowMs: number): void {
    if (nowMs - this.purgedMs < PURGE_MS) return;
    this.purgedMs = nowMs;
    for (const [key, { usedMs }] of this.sensors) if (nowMs - usedMs > EXPIRATION_MS) this.sensors.delete(key);
  }
}
