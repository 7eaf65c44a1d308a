import { javaDoubleText } from '@klassic/common';
import type { Admin, QuotaChange, QuotaCondition } from '@klassic/client';
import { UsageError } from '../tool.ts';
import type { ToolIo } from '../tool.ts';
import type { ConfigEntity } from './config-entities.ts';

/** How the protocol names the types of entities that have limits. */
const quotaTypes: Readonly<Record<string, string>> = { users: 'user', clients: 'client-id', ips: 'ip' };

const clientQuotas = ['producer_byte_rate', 'consumer_byte_rate', 'request_percentage', 'controller_mutation_rate'];
const allowed: Readonly<Record<string, { readonly kind: string; readonly keys: readonly string[] }>> = {
  users: { kind: 'quota', keys: clientQuotas },
  clients: { kind: 'quota', keys: clientQuotas },
  ips: { kind: 'connection quota', keys: ['connection_creation_rate'] },
};

/** Whether the entities have limits, not settings. */
export function haveQuotas(entities: readonly ConfigEntity[]): boolean {
  return entities.every(({ type }) => Object.hasOwn(quotaTypes, type));
}

/** Prints a line for each entity that has limits. */
export async function describeQuotas(admin: Admin, entities: readonly ConfigEntity[], io: ToolIo): Promise<void> {
  const printed = [
    ['user', 'user-principal'],
    ['client-id', 'client-id'],
    ['ip', 'ip'],
  ] as const;
  for (const { entity, quotas } of await admin.describeClientQuotas(entities.map(conditionOf))) {
    const names = printed.flatMap(([type, text]) => {
      const name = entity[type];
      return name === undefined ? [] : [name === null ? `the default ${text}` : `${text} '${name}'`];
    });
    const values = [...quotas].map(([key, value]) => `${key}=${javaDoubleText(value)}`);
    io.out(`Quota configs for ${names.join(', ')} are ${values.join(', ')}\n`);
  }
}

/** Sets and takes away limits. @throws UsageError for keys that are no limits, values that are no numbers */
export async function alterQuotas(
  admin: Admin,
  entities: readonly ConfigEntity[],
  added: ReadonlyMap<string, string>,
  deleted: readonly string[],
): Promise<void> {
  const { type } = entities[0]!;
  const { kind, keys } = allowed[type]!;
  const unknown = [...added.keys(), ...deleted].filter((key) => !keys.includes(key));
  if (unknown.length > 0) {
    throw new UsageError(
      `Only ${kind} configs can be added for '${type}' using --bootstrap-server. Unexpected config names: ${unknown.join(',')}`,
    );
  }
  const [present] = await admin.describeClientQuotas(entities.map(conditionOf));
  const missing = deleted.filter((key) => present?.quotas.has(key) !== true);
  if (missing.length > 0) throw new UsageError(`Invalid config(s): ${missing.join(',')}`);
  const changes: QuotaChange[] = [...added].map(([key, text]) => {
    const value = text.trim() === '' ? NaN : Number(text);
    if (!Number.isNaN(value)) return { key, value };
    throw new UsageError(`Cannot parse quota configuration value for ${key}: ${text}`);
  });
  const entity = Object.fromEntries(
    entities.map((each) => [quotaTypes[each.type]!, each.name === '' ? null : each.name!]),
  );
  await admin.alterClientQuotas(entity, [...changes, ...deleted.map((key) => ({ key, value: null }))]);
}

function conditionOf({ type, name }: ConfigEntity): QuotaCondition {
  const entityType = quotaTypes[type]!;
  if (name === undefined) return { entityType, match: { any: true } };
  return { entityType, match: name === '' ? null : name };
}
