import { Admin } from '@klassic/client';
import { parseArguments } from '../arguments.ts';
import { clientOptions, readProperties } from '../client-settings.ts';
import { UsageError } from '../tool.ts';
import type { Tool } from '../tool.ts';
import { configOptions, entitiesOf, singular } from './config-entities.ts';
import type { ConfigArguments, ConfigEntity } from './config-entities.ts';
import { alterQuotas, describeQuotas, haveQuotas } from './quota-configs.ts';
import { alterResource, describeResources } from './resource-configs.ts';

/** kafka-configs: settings of topics and brokers, levels of loggers, limits of users, clients and addresses. Counterpart of `kafka.admin.ConfigCommand`. */
export const configCommand: Tool = async (argv, io) => {
  const args = parseArguments(argv, configOptions);
  if (args.describe === args.alter) {
    throw new UsageError('Command must include exactly one action: --describe, --alter');
  }
  const servers = args['bootstrap-server'];
  if (servers === undefined)
    throw new UsageError('One of the required --bootstrap-server or --zookeeper arguments must be specified');
  const entities = entitiesOf(args, argv);
  const change = args.alter ? changeOf(args, entities) : undefined;
  const settings =
    args['command-config'] === undefined ? new Map<string, string>() : readProperties(args['command-config']);
  const admin = new Admin(clientOptions(servers, settings));
  try {
    if (change === undefined) {
      if (haveQuotas(entities)) await describeQuotas(admin, entities, io);
      else await describeResources(admin, entities[0]!, args.all, io);
      return 0;
    }
    if (haveQuotas(entities)) await alterQuotas(admin, entities, change.added, change.deleted);
    else await alterResource(admin, entities[0]!, change.added, change.deleted);
    const { type, name } = entities[0]!;
    io.out(
      name === ''
        ? `Completed updating default config for ${type} in the cluster.\n`
        : `Completed updating config for ${singular(type)} ${name}.\n`,
    );
    return 0;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    io.err(`Error while executing config command with args '${argv.join(' ')}'\n${(error as Error).message}\n`);
    return 1;
  } finally {
    admin.close();
  }
};

interface Change {
  readonly added: ReadonlyMap<string, string>;
  readonly deleted: readonly string[];
}

/** @throws UsageError when nothing is to be changed, or nobody is named */
function changeOf(args: ConfigArguments, entities: readonly ConfigEntity[]): Change {
  const { 'add-config': text, 'add-config-file': file, 'delete-config': names } = args;
  for (const { type, name } of entities) {
    if (type === 'topics' && (name === undefined || name === '')) {
      throw new UsageError('an entity name must be specified with --alter of topics');
    }
    if (name === undefined) {
      throw new UsageError(
        'an entity-name or default entity must be specified with --alter of users, clients, brokers or ips',
      );
    }
  }
  if (text !== undefined && file !== undefined) {
    throw new UsageError('Only one of --add-config or --add-config-file must be specified');
  }
  const added = file === undefined ? parseAddConfig(text) : readProperties(file);
  const deleted = names?.split(',').map((name) => name.trim()) ?? [];
  if (added.size + deleted.length === 0) {
    throw new UsageError(
      'At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter',
    );
  }
  return { added, deleted };
}

/** Reads `k1=v1,k2=[v1,v2]`: square brackets hold values with commas. */
function parseAddConfig(text: string | undefined): Map<string, string> {
  const map = new Map<string, string>();
  if (text === undefined) return map;
  for (const pair of text.split(/,(?=[^\]]*(?:\[|$))/)) {
    const equals = pair.indexOf('=');
    if (equals <= 0)
      throw new UsageError('Invalid entity config: all configs to be added must be in the format "key=val".');
    map.set(pair.slice(0, equals).trim(), pair.slice(equals + 1).replace(/^\[(.*)\]$/, '$1'));
  }
  return map;
}
