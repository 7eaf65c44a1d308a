import { hashMapOrder } from '@klassic/common';
import type { AdminZkClient } from '@klassic/controller';
import { Errors, KafkaError } from '@klassic/protocol';
import type { ErrorEntry, RequestOf, ResponseInit } from '@klassic/protocol';
import { desanitize, sanitize } from '@klassic/zookeeper';
import type { KafkaZkClient } from '@klassic/zookeeper';
import type { AnyApiHandler, ApiHandler } from './api-handler.ts';
import { isQuotaKey, quotaText } from './client-quota-keys.ts';
import type { QuotaEntityType } from './client-quota-keys.ts';
import { quotaFilter } from './client-quota-filter.ts';
import type { QuotaEntity, QuotaEntityKind } from './client-quota-filter.ts';
import { answerMessage, toApiError } from './request-errors.ts';

type Props = Readonly<Record<string, string>>;
type Alteration = RequestOf<'AlterClientQuotas'>['entries'][number];
type AlterationOutcome = NonNullable<ResponseInit<'AlterClientQuotas'>['entries']>[number];
type EntityData = { readonly entityType: string; readonly entityName: string | null }[];

/** The name in `/config` of all that have no entry of their own. */
const defaultEntity = '<default>';

export interface ClientQuotasOptions {
  readonly store: Pick<KafkaZkClient, 'getEntityConfigs' | 'getEntitiesConfigs' | 'getAllEntitiesWithConfig'>;
  readonly adminZkClient: Pick<AdminZkClient, 'changeEntityConfig'>;
  /** Whether a text is an address, or the name of a host that has one. */
  readonly isResolvable: (host: string) => Promise<boolean>;
}

/** DescribeClientQuotas and AlterClientQuotas (KIP-546): limits of users, clients and addresses, kept in `/config`. */
export function clientQuotasHandlers(options: ClientQuotasOptions): AnyApiHandler[] {
  return [describeClientQuotas(options), alterClientQuotas(options)];
}

function describeClientQuotas(options: ClientQuotasOptions): ApiHandler<'DescribeClientQuotas'> {
  return {
    api: 'DescribeClientQuotas',
    minVersion: 0,
    maxVersion: 1,
    async handle({ body }) {
      const matches = quotaFilter(body.components, body.strict);
      const entries = (await allQuotas(options.store)).filter(({ entity }) => matches(entity));
      return {
        errorCode: Errors.NONE.code,
        errorMessage: '',
        entries: entries.map(({ entity, quotas }) => ({
          entity: (['user', 'client-id', 'ip'] as const).flatMap((entityType) => {
            const entityName = entity[entityType];
            return entityName === undefined ? [] : [{ entityType, entityName }];
          }),
          values: hashMapOrder(Object.keys(quotas)).map((key) => ({ key, value: Number(quotas[key]) })),
        })),
      };
    },
    failure: (_request, error, message) => ({
      errorCode: error.code,
      errorMessage: answerMessage(error, message),
      entries: null,
    }),
  };
}

interface StoredQuotas {
  readonly entity: QuotaEntity;
  readonly quotas: Props;
}

async function allQuotas(store: ClientQuotasOptions['store']): Promise<StoredQuotas[]> {
  const found: StoredQuotas[] = [];
  const read = async (type: string, entityOf: (name: string | null) => QuotaEntity): Promise<string[]> => {
    const names = await store.getAllEntitiesWithConfig(type);
    for (const [name, props] of await store.getEntitiesConfigs(type, names)) {
      const quotas = Object.fromEntries(Object.entries(props).filter(([key]) => isQuotaKey(key)));
      if (Object.keys(quotas).length > 0) found.push({ entity: entityOf(nameOf(name)), quotas });
    }
    return names;
  };
  const users = await read('users', (user) => ({ user }));
  await read('clients', (clientId) => ({ 'client-id': clientId }));
  for (const user of users) {
    await read(`users/${user}/clients`, (clientId) => ({ user: nameOf(user), 'client-id': clientId }));
  }
  await read('ips', (ip) => ({ ip }));
  return found;
}

function nameOf(sanitized: string): string | null {
  return sanitized === defaultEntity ? null : desanitize(sanitized);
}

function alterClientQuotas(options: ClientQuotasOptions): ApiHandler<'AlterClientQuotas'> {
  return {
    api: 'AlterClientQuotas',
    minVersion: 0,
    maxVersion: 1,
    async handle({ body }) {
      // One answer for each entity: where it stands twice, the last counts, though both were done.
      const outcomes = new Map<string, AlterationOutcome>();
      for (const alteration of body.entries) {
        const entity = entityData(alteration);
        const outcome = await outcomeOf(alteration, entity, body.validateOnly, options);
        outcomes.set(JSON.stringify(entity), outcome);
      }
      return { entries: [...outcomes.values()] };
    },
    failure: ({ body }, error, message) => ({
      entries: body.entries.map((alteration) => failed(entityData(alteration), error, message)),
    }),
  };
}

/** In which order the original's table lists the types of an entity. */
const answeredTypes = ['client-id', 'user', 'ip'];

/** An entity as the answer names it: its types in that order, each once. */
function entityData({ entity }: Alteration): EntityData {
  const names = new Map(entity.map(({ entityType, entityName }) => [entityType, entityName]));
  return [...names]
    .map(([entityType, entityName]) => ({ entityType, entityName }))
    .sort((a, b) => answeredTypes.indexOf(a.entityType) - answeredTypes.indexOf(b.entityType));
}

async function outcomeOf(
  { ops }: Alteration,
  entity: EntityData,
  validateOnly: boolean,
  options: ClientQuotasOptions,
): Promise<AlterationOutcome> {
  try {
    const [type, path] = await placeOf(entity, options);
    const props = new Map(Object.entries(await options.store.getEntityConfigs(type, path)));
    for (const { key, value, remove } of ops) {
      if (remove) props.delete(key);
      else props.set(key, quotaText(type, key, value));
    }
    if (!validateOnly) await options.adminZkClient.changeEntityConfig(type, path, Object.fromEntries(props));
    return { errorCode: Errors.NONE.code, errorMessage: null, entity };
  } catch (thrown) {
    const { error, message, expected } = toApiError(thrown);
    if (!expected) throw thrown;
    return failed(entity, error, message);
  }
}

/** Where an entity's limits stand below `/config`. @throws KafkaError INVALID_REQUEST when there is no such entity */
async function placeOf(entity: EntityData, { isResolvable }: ClientQuotasOptions): Promise<[QuotaEntityType, string]> {
  if (entity.length === 0) throw invalid('Invalid empty client quota entity');
  const names: Partial<Record<QuotaEntityKind, string>> = {};
  for (const { entityType, entityName } of entity) {
    if (entityType !== 'user' && entityType !== 'client-id' && entityType !== 'ip') {
      throw invalid(`Unhandled client quota entity type: ${entityType}`);
    }
    if (entityName === '') throw invalid(`Empty ${entityType} not supported`);
    names[entityType] = entityName === null ? defaultEntity : sanitize(entityName);
  }
  const { user, 'client-id': client, ip } = names;
  if (ip !== undefined && (user !== undefined || client !== undefined)) {
    throw invalid('Invalid quota entity combination, IP entity should not be used with user/client ID entity.');
  }
  if (ip !== undefined) {
    if (ip !== defaultEntity && !(await isResolvable(desanitize(ip)))) {
      throw invalid(`${desanitize(ip)} is not a valid IP or resolvable host.`);
    }
    return ['ips', ip];
  }
  if (user === undefined) return ['clients', client!];
  return ['users', client === undefined ? user : `${user}/clients/${client}`];
}

function invalid(message: string): KafkaError {
  return new KafkaError(Errors.INVALID_REQUEST, message);
}

function failed(entity: EntityData, error: ErrorEntry, message: string): AlterationOutcome {
  return { errorCode: error.code, errorMessage: answerMessage(error, message), entity };
}
