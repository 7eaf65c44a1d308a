import type { Arguments } from '../arguments.ts';
import { UsageError } from '../tool.ts';

/** The tool's options (`ConfigCommandOptions`). */
export const configOptions = {
  'add-config': 'string',
  'add-config-file': 'string',
  all: 'flag',
  alter: 'flag',
  'bootstrap-server': 'string',
  'command-config': 'string',
  'delete-config': 'string',
  describe: 'flag',
  'entity-default': 'flag',
  'entity-name': 'strings',
  'entity-type': 'strings',
  broker: 'string',
  'broker-defaults': 'flag',
  'broker-logger': 'string',
  client: 'string',
  'client-defaults': 'flag',
  ip: 'string',
  'ip-defaults': 'flag',
  topic: 'string',
  user: 'string',
  'user-defaults': 'flag',
} as const;

export type ConfigArguments = Arguments<typeof configOptions>;

const entityTypes = ['topics', 'clients', 'users', 'brokers', 'broker-loggers', 'ips'] as const;
export type EntityType = (typeof entityTypes)[number];

/** What the command is about. */
export interface ConfigEntity {
  readonly type: EntityType;
  /** '' for the default, undefined for every entity of the type. */
  readonly name: string | undefined;
}

/** The options that name an entity with its type. */
const shortcuts = [
  ['topic', 'topics'],
  ['client', 'clients'],
  ['user', 'users'],
  ['broker', 'brokers'],
  ['broker-logger', 'broker-loggers'],
  ['ip', 'ips'],
] as const;

const defaultShortcuts = [
  ['client-defaults', 'clients'],
  ['user-defaults', 'users'],
  ['broker-defaults', 'brokers'],
  ['ip-defaults', 'ips'],
] as const;

/**
 * The entities that the command names: one, or a user and a client.
 *
 * @param argv as typed: names and defaults belong to the types in this order
 * @throws UsageError
 */
export function entitiesOf(args: ConfigArguments, argv: readonly string[]): ConfigEntity[] {
  const named: ConfigEntity[] = [];
  for (const [option, type] of shortcuts) {
    const name = args[option];
    if (name !== undefined) named.push({ type, name });
  }
  for (const [option, type] of defaultShortcuts) if (args[option]) named.push({ type, name: '' });
  const names = namesInOrder(argv);
  for (const [index, type] of args['entity-type'].entries()) named.push({ type: entityType(type), name: names[index] });
  checkEntities(named);
  return named;
}

function namesInOrder(argv: readonly string[]): string[] {
  const names: string[] = [];
  for (const [index, word] of argv.entries()) {
    if (word === '--entity-default') names.push('');
    else if (word === '--entity-name') names.push(argv[index + 1] ?? '');
    else if (word.startsWith('--entity-name=')) names.push(word.slice('--entity-name='.length));
  }
  return names;
}

function entityType(text: string): EntityType {
  const type = entityTypes.find((each) => each === text);
  if (type !== undefined) return type;
  throw new UsageError(
    `Invalid entity type ${text}, the entity type must be one of ${entityTypes.join(', ')} with a --bootstrap-server or --zookeeper argument`,
  );
}

function checkEntities(entities: readonly ConfigEntity[]): void {
  if (entities.length === 0) throw new UsageError('At least one entity type must be specified');
  const types = entities.map(({ type }) => type);
  const pair = types.length === 2 && types.includes('users') && types.includes('clients');
  if (types.length > 1 && !pair) {
    throw new UsageError("Only 'users' and 'clients' entity types may be specified together");
  }
  for (const { type, name } of entities) {
    if ((type === 'brokers' || type === 'broker-loggers') && name !== undefined && name !== '' && !/^\d+$/.test(name)) {
      throw new UsageError(`The entity name for ${type} must be a valid integer broker id, found: ${name}`);
    }
  }
}

/** `users` → `user`. */
export function singular(type: EntityType): string {
  return type.slice(0, -1);
}
