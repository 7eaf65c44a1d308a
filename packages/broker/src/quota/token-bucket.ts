import type { RateConfig } from '@klassic/network';

/**
 * Tokens that come at a steady rate up to a burst of all windows together, and may be overdrawn. Counterpart of
 * `org.apache.kafka.common.metrics.stats.TokenBucket` (KIP-599).
 */
export class TokenBucket {
  private readonly config: RateConfig;
  private tokens = 0;
  private refilledMs = 0;

  constructor(config: RateConfig) {
    this.config = config;
  }

  /** Takes `value` tokens. @param rate tokens per second */
  record(value: number, rate: number, nowMs: number): void {
    this.refill(rate, nowMs);
    this.tokens = Math.min(this.burst(rate), this.tokens - value);
  }

  /** The tokens there are; below 0 when more were taken. */
  measure(rate: number, nowMs: number): number {
    this.refill(rate, nowMs);
    return this.tokens;
  }

  /** How long until no token is owed any more, ms; 0 when none is. */
  throttleTimeMs(rate: number, nowMs: number): number {
    const tokens = this.measure(rate, nowMs);
    return tokens < 0 ? Math.round((-tokens / rate) * 1000) : 0;
  }

  private burst(rate: number): number {
    return (this.config.samples * this.config.windowMs * rate) / 1000;
  }

  private refill(rate: number, nowMs: number): void {
    this.tokens = Math.min(this.burst(rate), this.tokens + (rate * (nowMs - this.refilledMs)) / 1000);
    this.refilledMs = nowMs;
  }
}
