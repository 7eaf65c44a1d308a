import { Admin } from '@klassic/client';
import type { ConfigChange, ConfigEntry, ConfigResource } from '@klassic/client';
import { parseArguments, required } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import { clientOptions, readProperties } from './client-settings.ts';
import { UsageError } from './tool.ts';
import type { Tool, ToolIo } from './tool.ts';

const options = {
  'add-config': 'string',
  all: 'flag',
  alter: 'flag',
  'bootstrap-server': 'string',
  'command-config': 'string',
  'delete-config': 'string',
  describe: 'flag',
  'entity-default': 'flag',
  'entity-name': 'string',
  'entity-type': 'string',
  broker: 'string',
  'broker-defaults': 'flag',
  topic: 'string',
} as const;

type ConfigArguments = Arguments<typeof options>;

interface Entity {
  readonly type: 'topic' | 'broker';
  /** '' for the default of all brokers, undefined for every entity of the type. */
  readonly name: string | undefined;
}

/** kafka-configs for topics and brokers. Counterpart of `kafka.admin.ConfigCommand`. */
export const configCommand: Tool = async (argv, io) => {
  const args = parseArguments(argv, options);
  if (args.describe === args.alter) {
    throw new UsageError('Command must include exactly one action: --describe, --alter');
  }
  const servers = args['bootstrap-server'];
  if (servers === undefined)
    throw new UsageError('One of the required --bootstrap-server or --zookeeper arguments must be specified');
  const entity = entityOf(args);
  const settings =
    args['command-config'] === undefined ? new Map<string, string>() : readProperties(args['command-config']);
  const admin = new Admin(clientOptions(servers, settings));
  try {
    if (args.alter) await alter(admin, entity, args, io);
    else await describe(admin, entity, args.all, io);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    io.err(`Error while executing config command with args '${argv.join(' ')}'\n${(error as Error).message}\n`);
    return 1;
  } finally {
    admin.close();
  }
};

function entityOf(args: ConfigArguments): Entity {
  if (args.topic !== undefined) return { type: 'topic', name: args.topic };
  if (args.broker !== undefined) return { type: 'broker', name: args.broker };
  if (args['broker-defaults']) return { type: 'broker', name: '' };
  const type = args['entity-type'];
  if (type === undefined) throw new UsageError('At least one entity type must be specified');
  if (type !== 'topics' && type !== 'brokers') {
    throw new UsageError(`Entity type ${type} is not supported here: only topics and brokers are`);
  }
  return { type: type === 'topics' ? 'topic' : 'broker', name: args['entity-default'] ? '' : args['entity-name'] };
}

async function describe(admin: Admin, entity: Entity, all: boolean, io: ToolIo): Promise<void> {
  for (const resource of await resourcesOf(admin, entity)) {
    const adjective = all ? 'All' : 'Dynamic';
    io.out(
      resource.name === ''
        ? `Default configs for ${entity.type}s in the cluster are:\n`
        : `${adjective} configs for ${entity.type} ${resource.name} are:\n`,
    );
    const dynamic =
      resource.type === 'topic'
        ? 'DYNAMIC_TOPIC_CONFIG'
        : resource.name === ''
          ? 'DYNAMIC_DEFAULT_BROKER_CONFIG'
          : 'DYNAMIC_BROKER_CONFIG';
    for (const entry of await admin.describeConfigs(resource)) {
      if (all || entry.source === dynamic) io.out(`${entryLine(entry)}\n`);
    }
  }
}

async function resourcesOf(admin: Admin, { type, name }: Entity): Promise<ConfigResource[]> {
  if (name !== undefined) return [{ type, name }];
  if (type === 'topic') return (await admin.listTopics()).map((topic) => ({ type, name: topic.name }));
  const { nodes } = await admin.describeCluster();
  return [...[...nodes.keys()].map((id) => ({ type, name: String(id) })), { type, name: '' }];
}

function entryLine({ name, value, isSensitive, synonyms }: ConfigEntry): string {
  const sources = synonyms.map((synonym) => `${synonym.source}:${synonym.name}=${synonym.value}`).join(', ');
  return `  ${name}=${value} sensitive=${isSensitive} synonyms={${sources}}`;
}

async function alter(admin: Admin, entity: Entity, args: ConfigArguments, io: ToolIo): Promise<void> {
  const resource: ConfigResource = { type: entity.type, name: required(entity.name, 'entity-name') };
  const added = args['add-config'] === undefined ? new Map<string, string>() : parseAddConfig(args['add-config']);
  const deleted = args['delete-config']?.split(',').map((name) => name.trim()) ?? [];
  if (added.size + deleted.length === 0) {
    throw new UsageError(
      'At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter',
    );
  }
  const present = new Set(
    (await admin.describeConfigs(resource)).map(({ name, source }) => (isOwn(source, resource) ? name : '')),
  );
  const missing = deleted.filter((name) => !present.has(name));
  if (missing.length > 0) throw new UsageError(`Invalid config(s): ${missing.join(',')}`);
  const changes: ConfigChange[] = [
    ...[...added].map(([name, value]) => ({ name, value, operation: 'set' as const })),
    ...deleted.map((name) => ({ name, operation: 'delete' as const })),
  ];
  await admin.incrementalAlterConfigs(resource, changes);
  io.out(
    resource.name === ''
      ? `Completed updating default config for ${entity.type}s in the cluster.\n`
      : `Completed updating config for ${entity.type} ${resource.name}.\n`,
  );
}

function isOwn(source: ConfigEntry['source'], { type, name }: ConfigResource): boolean {
  if (type === 'topic') return source === 'DYNAMIC_TOPIC_CONFIG';
  return source === (name === '' ? 'DYNAMIC_DEFAULT_BROKER_CONFIG' : 'DYNAMIC_BROKER_CONFIG');
}

/** Reads `k1=v1,k2=[v1,v2]`: square brackets hold values with commas. */
function parseAddConfig(text: string): Map<string, string> {
  const map = new Map<string, string>();
  for (const pair of text.split(/,(?=[^\]]*(?:\[|$))/)) {
    const equals = pair.indexOf('=');
    if (equals <= 0)
      throw new UsageError('Invalid entity config: all configs to be added must be in the format "key=val".');
    map.set(pair.slice(0, equals).trim(), pair.slice(equals + 1).replace(/^\[(.*)\]$/, '$1'));
  }
  return map;
}
