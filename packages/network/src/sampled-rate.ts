/** How a rate is measured, and what it may be. Counterpart of `org.apache.kafka.common.metrics.MetricConfig`. */
export interface RateConfig {
  /** Windows that are looked back, the present one included. */
  readonly samples: number;
  /** Length of a window, ms. */
  readonly windowMs: number;
}

interface Sample {
  startMs: number;
  sum: number;
}

/**
 * Units per second over a few windows of fixed length that begin when something comes. Counterpart of
 * `org.apache.kafka.common.metrics.stats.Rate` over a `WindowedSum`, in whose formulas quotas are counted.
 */
export class SampledRate {
  private readonly config: RateConfig;
  private readonly samples: Sample[] = [];
  private current = 0;

  constructor(config: RateConfig) {
    this.config = config;
  }

  /** Takes in `value` units; a negative one takes units back. @param nowMs milliseconds of any one clock */
  record(value: number, nowMs: number): void {
    let sample = this.samples[this.current];
    if (sample === undefined) this.samples.push((sample = { startMs: nowMs, sum: 0 }));
    else if (nowMs - sample.startMs >= this.config.windowMs) sample = this.advance(nowMs);
    sample.sum += value;
  }

  /** Units per second. */
  measure(nowMs: number): number {
    const windowMs = this.windowMs(nowMs);
    let sum = 0;
    for (const sample of this.samples) sum += sample.sum;
    return windowMs === 0 ? 0 : sum / (windowMs / 1000);
  }

  /**
   * The time that the rate is counted over, ms: from the beginning of the oldest window, and never less than all but one of
   * the windows, so that a first burst is not taken for the rate.
   */
  windowMs(nowMs: number): number {
    const { samples, windowMs } = this.config;
    let oldestMs = nowMs;
    for (const sample of this.samples) {
      if (nowMs - sample.startMs >= samples * windowMs) {
        sample.startMs = nowMs;
        sample.sum = 0;
      }
      oldestMs = Math.min(oldestMs, sample.startMs);
    }
    const elapsedMs = nowMs - oldestMs;
    const missing = samples - 1 - Math.floor(elapsedMs / windowMs);
    return missing > 0 ? elapsedMs + missing * windowMs : elapsedMs;
  }

  private advance(nowMs: number): Sample {
    this.current = (this.current + 1) % this.config.samples;
    const next = this.samples[this.current];
    if (next === undefined) {
      const added = { startMs: nowMs, sum: 0 };
      this.samples.push(added);
      return added;
    }
    next.startMs = nowMs;
    next.sum = 0;
    return next;
  }
}

/**
 * How long to wait until the rate is back at its bound, ms, rounded as Java does; 0 when it is not above
 * (`kafka.utils.QuotaUtils.throttleTime`).
 */
export function throttleTimeMs(rate: SampledRate, bound: number, nowMs: number): number {
  const value = rate.measure(nowMs);
  return value > bound ? Math.round(((value - bound) / bound) * rate.windowMs(nowMs)) : 0;
}
