import { throwIfError } from '../client-errors.ts';
import type { ClientParts } from '../list-offsets.ts';
import { retrying } from '../retrying.ts';
import { currentCluster } from './controller-call.ts';

/** Who a limit is for, by type (`user`, `client-id`, `ip`): a name, or null for all that have none of their own. */
export type QuotaEntity = Readonly<Record<string, string | null>>;

/** A condition on one type: a name, null for the default, `any` for whatever is set. */
export interface QuotaCondition {
  readonly entityType: string;
  readonly match: string | null | { readonly any: true };
}

/** The limits of an entity, by key, in the broker's order. */
export interface EntityQuotas {
  readonly entity: QuotaEntity;
  readonly quotas: ReadonlyMap<string, number>;
}

/** A limit to be set, or taken away where the value is null. */
export interface QuotaChange {
  readonly key: string;
  readonly value: number | null;
}

const matchTypes = { exact: 0, default: 1, any: 2 } as const;

/** The limits of the entities that have just the types of the conditions, and meet them. @throws KafkaError, TimeoutError */
export async function describeClientQuotas(
  parts: ClientParts,
  conditions: readonly QuotaCondition[],
): Promise<EntityQuotas[]> {
  const components = conditions.map(({ entityType, match }) => {
    if (match === null) return { entityType, matchType: matchTypes.default, match: null };
    if (typeof match === 'string') return { entityType, matchType: matchTypes.exact, match };
    return { entityType, matchType: matchTypes.any, match: null };
  });
  return await retrying(parts.config, { what: 'describing client quotas' }, async () => {
    const [node] = (await currentCluster(parts)).nodes.values();
    const answer = await parts.client.send(node!, 'DescribeClientQuotas', { components, strict: true });
    throwIfError(answer.errorCode, answer.errorMessage);
    return (answer.entries ?? []).map(({ entity, values }) => ({
      entity: Object.fromEntries(entity.map(({ entityType, entityName }) => [entityType, entityName])),
      quotas: new Map(values.map(({ key, value }) => [key, value])),
    }));
  });
}

/** Changes limits of an entity, leaving its others. @throws KafkaError, TimeoutError */
export async function alterClientQuotas(
  parts: ClientParts,
  entity: QuotaEntity,
  changes: readonly QuotaChange[],
): Promise<void> {
  await retrying(parts.config, { what: 'altering client quotas' }, async () => {
    const [node] = (await currentCluster(parts)).nodes.values();
    const answer = await parts.client.send(node!, 'AlterClientQuotas', {
      entries: [
        {
          entity: Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
          ops: changes.map(({ key, value }) => ({ key, value: value ?? 0, remove: value === null })),
        },
      ],
      validateOnly: false,
    });
    for (const { errorCode, errorMessage } of answer.entries) throwIfError(errorCode, errorMessage);
  });
}
