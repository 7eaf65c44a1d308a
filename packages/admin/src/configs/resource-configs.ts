import type { Admin, ConfigChange, ConfigEntry, ConfigResource, ConfigSource } from '@klassic/client';
import { UsageError } from '../tool.ts';
import type { ToolIo } from '../tool.ts';
import { singular } from './config-entities.ts';
import type { ConfigEntity } from './config-entities.ts';

/** Prints the settings of topics, brokers or loggers: those that were set for them, or all. */
export async function describeResources(admin: Admin, entity: ConfigEntity, all: boolean, io: ToolIo): Promise<void> {
  for (const name of await namesOf(admin, entity)) {
    io.out(
      name === '' && entity.type !== 'topics'
        ? `Default configs for ${entity.type} in the cluster are:\n`
        : `${all ? 'All' : 'Dynamic'} configs for ${singular(entity.type)} ${name} are:\n`,
    );
    for (const entry of await entriesOf(admin, { ...entity, name }, all)) io.out(`${entryLine(entry)}\n`);
  }
}

async function namesOf(admin: Admin, { type, name }: ConfigEntity): Promise<string[]> {
  if (name !== undefined) return [name];
  if (type === 'topics') return (await admin.listTopics()).map((topic) => topic.name);
  const { nodes } = await admin.describeCluster();
  return [...[...nodes.keys()].map(String), ''];
}

async function entriesOf(admin: Admin, entity: ConfigEntity, all: boolean): Promise<ConfigEntry[]> {
  const entries = await admin.describeConfigs(resourceOf(entity));
  const own = ownSource(entity);
  return entries.filter(({ source }) => all || own === undefined || source === own);
}

function resourceOf({ type, name }: ConfigEntity): ConfigResource {
  return { type: type === 'topics' ? 'topic' : type === 'brokers' ? 'broker' : 'brokerLogger', name: name! };
}

/** Where a setting comes from that was set for the entity itself; undefined where all are. */
function ownSource({ type, name }: ConfigEntity): ConfigSource | undefined {
  if (type === 'topics') return 'DYNAMIC_TOPIC_CONFIG';
  if (type !== 'brokers') return undefined;
  return name === '' ? 'DYNAMIC_DEFAULT_BROKER_CONFIG' : 'DYNAMIC_BROKER_CONFIG';
}

function entryLine({ name, value, isSensitive, synonyms }: ConfigEntry): string {
  const sources = synonyms.map((synonym) => `${synonym.source}:${synonym.name}=${synonym.value}`).join(', ');
  return `  ${name}=${value} sensitive=${isSensitive} synonyms={${sources}}`;
}

/** Changes settings of a topic, of a broker or all, or levels of a broker's loggers. @throws UsageError, KafkaError */
export async function alterResource(
  admin: Admin,
  entity: ConfigEntity,
  added: ReadonlyMap<string, string>,
  deleted: readonly string[],
): Promise<void> {
  const present = new Map((await entriesOf(admin, entity, false)).map((entry) => [entry.name, entry]));
  if (entity.type === 'broker-loggers') {
    const missing = [...deleted, ...added.keys()].filter((name) => !present.has(name));
    if (missing.length > 0) throw new UsageError(`Invalid broker logger(s): ${missing.join(',')}`);
  }
  const missing = deleted.filter((name) => !present.has(name));
  if (missing.length > 0) throw new UsageError(`Invalid config(s): ${missing.join(',')}`);
  if (entity.type === 'brokers') {
    await admin.alterConfigs(resourceOf(entity), replacing(present, added, deleted));
    return;
  }
  const changes: ConfigChange[] = [
    ...[...added].map(([name, value]) => ({ name, value, operation: 'set' as const })),
    ...deleted.map((name) => ({ name, value: '', operation: 'delete' as const })),
  ];
  await admin.incrementalAlterConfigs(resourceOf(entity), changes);
}

/** Brokers are given all their settings anew, as the original's tool does; passwords it cannot read must be said again. */
function replacing(
  present: ReadonlyMap<string, ConfigEntry>,
  added: ReadonlyMap<string, string>,
  deleted: readonly string[],
): Map<string, string> {
  const next = new Map<string, string | null>([...present].map(([name, { value }]) => [name, value]));
  for (const [name, value] of added) next.set(name, value);
  for (const name of deleted) next.delete(name);
  const hidden = [...next].filter(([, value]) => value === null).map(([name]) => name);
  if (hidden.length > 0) {
    throw new UsageError(
      `All sensitive broker config entries must be specified for --alter, missing entries: Set(${hidden.join(', ')})`,
    );
  }
  return next as Map<string, string>;
}
