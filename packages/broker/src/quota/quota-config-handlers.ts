import { desanitize } from '@klassic/zookeeper';
import { DEFAULT_ENTITY } from './quota-limits.ts';
import type { QuotaEntity } from './quota-limits.ts';
import type { QuotaManagers } from './quota-managers.ts';

/** Takes over what is set for one entity of `/config`; empty when nothing is any more. */
export interface QuotaConfigHandler {
  processConfigChanges(entityName: string, config: Readonly<Record<string, string>>): void;
}

/** Told the connection rate of an address. */
export interface IpRates {
  updateIpConnectionRate(ip: string | null, rate: number | undefined): void;
}

/**
 * The handlers of quotas that change while the broker runs: `/config/clients`, `/config/users` (and the client ids below
 * users), `/config/ips`. Counterparts of `ClientIdConfigHandler`, `UserConfigHandler` and `IpConfigHandler`.
 */
export function quotaConfigHandlers(
  quotas: QuotaManagers,
  ipRates: IpRates,
): Readonly<Record<'clients' | 'users' | 'ips', QuotaConfigHandler>> {
  return {
    clients: {
      processConfigChanges: (entityName, config) => {
        quotas.updateQuotas({ clientId: named(entityName) }, config);
      },
    },
    users: {
      processConfigChanges: (entityName, config) => {
        quotas.updateQuotas(userEntity(entityName), config);
      },
    },
    ips: {
      processConfigChanges: (entityName, config) => {
        const rate = config['connection_creation_rate'];
        const ip = entityName === DEFAULT_ENTITY ? null : desanitize(entityName);
        ipRates.updateIpConnectionRate(ip, rate === undefined ? undefined : Number(rate));
      },
    },
  };
}

/** Reads what is set from ZooKeeper. */
export interface QuotaStore {
  getAllEntitiesWithConfig(entityType: string): Promise<string[]>;
  getEntityConfigs(entityType: string, entityName: string): Promise<Record<string, string>>;
}

/** Hands all quotas that stand in ZooKeeper to the handlers, at the start of a broker. */
export async function loadQuotas(store: QuotaStore, handlers: ReturnType<typeof quotaConfigHandlers>): Promise<void> {
  const load = async (type: keyof typeof handlers, name: string): Promise<void> => {
    handlers[type].processConfigChanges(name, await store.getEntityConfigs(type, name));
  };
  const loadAll = async (type: keyof typeof handlers): Promise<void> => {
    const names = await store.getAllEntitiesWithConfig(type);
    await Promise.all(names.map((name) => load(type, name)));
    if (type === 'users') await Promise.all(names.map(loadClientsOf));
  };
  const loadClientsOf = async (user: string): Promise<void> => {
    const clientIds = await store.getAllEntitiesWithConfig(`users/${user}/clients`);
    await Promise.all(clientIds.map((clientId) => load('users', `${user}/clients/${clientId}`)));
  };
  await Promise.all([loadAll('clients'), loadAll('users'), loadAll('ips')]);
}

/** `alice`, or `alice/clients/app` for a client id of hers. */
function userEntity(entityName: string): QuotaEntity {
  const [user = '', , clientId] = entityName.split('/');
  return { user: named(user), ...(clientId === undefined ? {} : { clientId: named(clientId) }) };
}

function named(sanitized: string): string {
  return sanitized === DEFAULT_ENTITY ? DEFAULT_ENTITY : desanitize(sanitized);
}
