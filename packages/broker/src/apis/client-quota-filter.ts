import { Errors, KafkaError } from '@klassic/protocol';

/** Types of entities that limits are set for; `users` and `clients` may stand together. */
export const quotaEntityTypes = ['user', 'client-id', 'ip'] as const;
export type QuotaEntityKind = (typeof quotaEntityTypes)[number];

/** Who a limit is set for: a name, or null for all that have none of their own; a type that is absent does not count. */
export type QuotaEntity = Readonly<Partial<Record<QuotaEntityKind, string | null>>>;

/** Codes of `DescribeClientQuotasRequest`'s match types. */
const matchType = { exact: 0, default: 1, any: 2 } as const;

/** One condition of a request. */
export interface FilterComponent {
  readonly entityType: string;
  /** One of `matchType`. */
  readonly matchType: number;
  readonly match: string | null;
}

type Matches = (name: string | null) => boolean;

/**
 * Reads the conditions of a DescribeClientQuotas request (KIP-546).
 *
 * @param strict whether entities that have a type no condition speaks of are left out
 * @returns whether an entity meets them
 * @throws KafkaError INVALID_REQUEST or UNSUPPORTED_VERSION for conditions that cannot be
 */
export function quotaFilter(components: readonly FilterComponent[], strict: boolean): (entity: QuotaEntity) => boolean {
  const conditions = new Map<string, Matches>();
  for (const component of components) conditionOf(component);
  for (const component of components) {
    const { entityType } = component;
    if (entityType === '') throw invalid('Unexpected empty filter component entity type');
    if (!quotaEntityTypes.some((type) => type === entityType)) {
      throw new KafkaError(Errors.UNSUPPORTED_VERSION, `Custom entity type '${entityType}' not supported`);
    }
    if (conditions.has(entityType)) {
      const name = entityType === 'client-id' ? 'client' : entityType;
      throw invalid(`Duplicate ${name} filter component entity type`);
    }
    conditions.set(entityType, conditionOf(component));
  }
  if (conditions.has('ip') && conditions.size > 1) {
    throw invalid(
      'Invalid entity filter component combination, IP filter component should not be used with user or clientId filter component.',
    );
  }
  return (entity) =>
    quotaEntityTypes.every((type) => {
      const name = entity[type];
      const condition = conditions.get(type);
      if (condition === undefined) return name === undefined || !strict;
      return name !== undefined && condition(name);
    });
}

/** @throws KafkaError UNKNOWN_SERVER_ERROR where the original cannot read the request */
function conditionOf({ matchType: type, match }: FilterComponent): Matches {
  if (type === matchType.any) return () => true;
  if (type === matchType.default) return (name) => name === null;
  if (type === matchType.exact && match !== null) return (name) => name === match;
  throw new KafkaError(Errors.UNKNOWN_SERVER_ERROR, `Unexpected match type ${type}`);
}

function invalid(message: string): KafkaError {
  return new KafkaError(Errors.INVALID_REQUEST, message);
}
