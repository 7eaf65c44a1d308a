import type { Time } from '@klassic/common';
import type { NetworkRequest } from '@klassic/network';
import { ClientQuotaManager } from './client-quota-manager.ts';
import type { QuotaClient } from './client-quota-manager.ts';
import { ControllerMutationQuotaManager } from './controller-mutation-quota-manager.ts';
import { DEFAULT_ENTITY } from './quota-limits.ts';
import type { QuotaEntity } from './quota-limits.ts';

/** The broker settings that quotas are measured by. */
export interface QuotaConfig {
  /** `quota.window.num` */
  readonly windowNum: number;
  /** `quota.window.size.seconds` */
  readonly windowSizeSeconds: number;
  /** `controller.quota.window.num` */
  readonly controllerWindowNum: number;
  /** `controller.quota.window.size.seconds` */
  readonly controllerWindowSizeSeconds: number;
  /** `quota.producer.default`, bytes per second of each client id; Infinity for none. */
  readonly producerDefault: number;
  /** `quota.consumer.default` */
  readonly consumerDefault: number;
}

/** Settings of an entity of `/config/clients` and `/config/users` that are quotas. */
type QuotaName = 'producer_byte_rate' | 'consumer_byte_rate' | 'request_percentage' | 'controller_mutation_rate';

/** All quotas of a broker on its clients (`kafka.server.QuotaFactory.QuotaManagers`). */
export class QuotaManagers {
  readonly produce: ClientQuotaManager;
  readonly fetch: ClientQuotaManager;
  /** In percent of the thread: time in handlers. */
  readonly request: ClientQuotaManager;
  readonly controllerMutation: ControllerMutationQuotaManager;
  private readonly time: Time;
  private readonly setters: Readonly<Record<QuotaName, (entity: QuotaEntity, limit: number | undefined) => void>>;

  constructor(config: QuotaConfig, time: Time) {
    this.time = time;
    const windowMs = config.windowSizeSeconds * 1000;
    const rate = { samples: config.windowNum, windowMs };
    const produce = (this.produce = new ClientQuotaManager(rate));
    const fetch = (this.fetch = new ClientQuotaManager(rate));
    const request = (this.request = new ClientQuotaManager(rate, windowMs));
    const controllerMutation = (this.controllerMutation = new ControllerMutationQuotaManager({
      samples: config.controllerWindowNum,
      windowMs: config.controllerWindowSizeSeconds * 1000,
    }));
    this.setters = {
      producer_byte_rate: (entity, limit) =>
        produce.updateQuota(entity, limit ?? staticDefault(entity, config.producerDefault)),
      consumer_byte_rate: (entity, limit) =>
        fetch.updateQuota(entity, limit ?? staticDefault(entity, config.consumerDefault)),
      request_percentage: (entity, limit) => request.updateQuota(entity, limit),
      controller_mutation_rate: (entity, limit) => controllerMutation.updateQuota(entity, limit),
    };
    this.updateQuotas({ clientId: DEFAULT_ENTITY }, {});
  }

  /** Takes over all quotas of an entity: those that `config` does not name are taken away. */
  updateQuotas(entity: QuotaEntity, config: Readonly<Record<string, string>>): void {
    for (const [name, set] of Object.entries(this.setters)) {
      const text = config[name];
      set(entity, text === undefined ? undefined : Number(text));
    }
  }

  /**
   * Counts the time that the request took in its handler.
   *
   * @returns how long its client is to be held back, ms; at most one window
   */
  recordRequestTime(request: NetworkRequest): number {
    if (!this.request.isEnabled) return 0;
    const percent = request.localTimeMs(this.time.hiResMs()) / 10;
    return this.request.recordAndGetThrottleTimeMs(clientOf(request), percent, this.time.milliseconds());
  }
}

/** Who sent the request. */
export function clientOf({ context, header }: NetworkRequest): QuotaClient {
  return { user: context.principal.slice(context.principal.indexOf(':') + 1), clientId: header.clientId ?? '' };
}

/** The deprecated settings of the broker stand in for a quota of all client ids that `/config/clients` does not set. */
function staticDefault({ user, clientId }: QuotaEntity, limit: number): number | undefined {
  return user === undefined && clientId === DEFAULT_ENTITY && limit < Number.MAX_SAFE_INTEGER ? limit : undefined;
}
