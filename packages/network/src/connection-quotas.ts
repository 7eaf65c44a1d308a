import { SampledRate, throttleTimeMs } from './sampled-rate.ts';
import type { RateConfig } from './sampled-rate.ts';
import type { ConnectionLimits } from './socket-server-config.ts';

/** What becomes of a connection that asks to be taken. */
export type Admission =
  | { readonly kind: 'admit' }
  /** It waits for `delayMs`: connections come too fast. */
  | { readonly kind: 'wait'; readonly delayMs: number }
  /** It is closed after `delayMs`, 0 for at once: another one would only come sooner. */
  | { readonly kind: 'refuse'; readonly reason: string; readonly delayMs: number };

const unlimited = 0x7fffffff;

/**
 * Counts connections, by address, by listener and in all, and the rate at which they come. Counterpart of
 * `kafka.network.ConnectionQuotas` (KIP-402, KIP-612).
 */
export class ConnectionQuotas {
  private limits: ConnectionLimits;
  private readonly rateConfig: RateConfig;
  private readonly byAddress = new Map<string, number>();
  private readonly byListener = new Map<string, number>();
  private readonly brokerRate: SampledRate;
  private readonly listenerRates = new Map<string, SampledRate>();
  private readonly ipRates = new Map<string, SampledRate>();
  /** `connection_creation_rate` of `/config/ips/<ip>`; under `null` the default's. */
  private readonly ipRateLimits = new Map<string | null, number>();
  private count = 0;

  constructor(limits: ConnectionLimits, rateConfig: RateConfig) {
    this.limits = limits;
    this.rateConfig = rateConfig;
    this.brokerRate = new SampledRate(rateConfig);
  }

  get total(): number {
    return this.count;
  }

  /** True when more connections are open than `max.connections` allows: the inter-broker listener takes them all the same. */
  get isExceeded(): boolean {
    return this.count > this.limits.maxConnections;
  }

  /** Takes over other limits; those that are open stay. */
  reconfigure(limits: ConnectionLimits): void {
    this.limits = limits;
  }

  /** @param ip null for the default @param rate connections per second; undefined for no limit of its own */
  updateIpConnectionRate(ip: string | null, rate: number | undefined): void {
    if (rate === undefined) this.ipRateLimits.delete(ip);
    else this.ipRateLimits.set(ip, rate);
    if (ip === null) this.ipRates.clear();
    else this.ipRates.delete(ip);
  }

  /** Whether the listener is the inter-broker one beside others: `max.connections` does not hold it up. */
  isProtected(listenerName: string): boolean {
    return this.limits.protectedListener === listenerName;
  }

  /** Whether one more may be served on the listener by the count of those that are open. */
  hasRoom(listenerName: string): boolean {
    const limit = this.limits.maxListenerConnections.get(listenerName) ?? unlimited;
    if ((this.byListener.get(listenerName) ?? 0) >= limit) return false;
    return this.isProtected(listenerName) || this.count < this.limits.maxConnections;
  }

  /**
   * Counts the coming of a connection towards the rates.
   *
   * @returns what becomes of it, room in the count of open ones aside
   */
  arrive(address: string, listenerName: string, nowMs: number): Admission {
    const limit = this.limits.maxConnectionsPerIpOverrides.get(address) ?? this.limits.maxConnectionsPerIp;
    if ((this.byAddress.get(address) ?? 0) >= limit) {
      const reason = `address already has the configured maximum of ${limit} connections.`;
      return { kind: 'refuse', reason, delayMs: 0 };
    }
    const ipDelayMs = this.ipThrottleMs(address, nowMs);
    if (ipDelayMs > 0) {
      return { kind: 'refuse', reason: 'the connection rate of the address is above its quota.', delayMs: ipDelayMs };
    }
    const delayMs = Math.max(
      rateDelayMs(this.brokerRate, this.limits.maxConnectionCreationRate, nowMs),
      rateDelayMs(this.listenerRate(listenerName), this.limits.maxListenerCreationRate.get(listenerName), nowMs),
    );
    return delayMs > 0 ? { kind: 'wait', delayMs } : { kind: 'admit' };
  }

  add(address: string, listenerName: string): void {
    this.count += 1;
    this.byAddress.set(address, (this.byAddress.get(address) ?? 0) + 1);
    this.byListener.set(listenerName, (this.byListener.get(listenerName) ?? 0) + 1);
  }

  remove(address: string, listenerName: string): void {
    this.count -= 1;
    this.byListener.set(listenerName, this.byListener.get(listenerName)! - 1);
    const left = (this.byAddress.get(address) ?? 0) - 1;
    if (left > 0) this.byAddress.set(address, left);
    else this.byAddress.delete(address);
  }

  /** Forgets the rates of addresses that nothing has come from for all windows. */
  forgetIdleRates(nowMs: number): void {
    for (const [address, rate] of this.ipRates) if (rate.measure(nowMs) === 0) this.ipRates.delete(address);
  }

  /** A refused connection does not count towards its address's rate, as in the original. */
  private ipThrottleMs(address: string, nowMs: number): number {
    const limit = this.ipRateLimits.get(address) ?? this.ipRateLimits.get(null);
    if (limit === undefined) return 0;
    let rate = this.ipRates.get(address);
    if (rate === undefined) this.ipRates.set(address, (rate = new SampledRate(this.rateConfig)));
    const delayMs = rateDelayMs(rate, limit, nowMs);
    if (delayMs > 0) rate.record(-1, nowMs);
    return delayMs;
  }

  private listenerRate(listenerName: string): SampledRate {
    let rate = this.listenerRates.get(listenerName);
    if (rate === undefined) this.listenerRates.set(listenerName, (rate = new SampledRate(this.rateConfig)));
    return rate;
  }
}

/** Counts one towards the rate. Returns how long it is above its limit, ms. */
function rateDelayMs(rate: SampledRate, limit: number | undefined, nowMs: number): number {
  if (limit === undefined || limit >= unlimited) return 0;
  rate.record(1, nowMs);
  return throttleTimeMs(rate, limit, nowMs);
}
