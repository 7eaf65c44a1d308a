import type { AdminZkClient } from '@klassic/controller';
import { InvalidConfigError, isListConfig } from '@klassic/log';
import { Errors, KafkaError } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';
import type { AnyApiHandler, ApiHandler } from './api-handler.ts';
import { toApiError } from './request-errors.ts';

/** Code of a topic in `ConfigResource.Type`. */
const topicResource = 2;

/** Codes of `AlterConfigOp.OpType`. */
const opType = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

type Settings = Readonly<Record<string, string>>;

export interface AlterConfigsOptions {
  readonly adminZkClient: AdminZkClient;
  /** A topic's own settings as they are now. */
  readonly topicOverrides: (topic: string) => Promise<Settings>;
  /** Throws when a topic's settings are not valid. */
  readonly validateTopicConfig: (config: Settings) => void;
}

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
}

interface Outcome extends Resource {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/** What one entry of a request does to a setting. */
interface ConfigChange {
  readonly name: string;
  readonly value: string | null;
  readonly configOperation: number;
}

/**
 * AlterConfigs, which replaces all settings of a topic, and IncrementalAlterConfigs, which changes some (KIP-339). Any
 * broker writes them into ZooKeeper; all of them, this one too, learn of it by `/config/changes`.
 */
export function alterConfigsHandlers(options: AlterConfigsOptions): AnyApiHandler[] {
  return [alterConfigs(options), incrementalAlterConfigs(options)];
}

function alterConfigs(options: AlterConfigsOptions): ApiHandler<'AlterConfigs'> {
  return {
    api: 'AlterConfigs',
    minVersion: 0,
    maxVersion: 2,
    handle: async ({ body }) => ({
      responses: await each(body.resources, async (resource) => {
        await change(resource, () => Promise.resolve(replaced(resource.configs)), body.validateOnly, options);
      }),
    }),
    failure: ({ body }, error, message) => ({
      responses: body.resources.map((resource) => failed(resource, error, message)),
    }),
  };
}

function incrementalAlterConfigs(options: AlterConfigsOptions): ApiHandler<'IncrementalAlterConfigs'> {
  return {
    api: 'IncrementalAlterConfigs',
    minVersion: 0,
    maxVersion: 1,
    handle: async ({ body }) => ({
      responses: await each(body.resources, async (resource) => {
        const changed = async (): Promise<Settings> =>
          applied(await options.topicOverrides(resource.resourceName), resource.configs);
        await change(resource, changed, body.validateOnly, options);
      }),
    }),
    failure: ({ body }, error, message) => ({
      responses: body.resources.map((resource) => failed(resource, error, message)),
    }),
  };
}

async function each<R extends Resource>(
  resources: readonly R[],
  task: (resource: R) => Promise<void>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const resource of resources) {
    const { resourceType, resourceName } = resource;
    try {
      await task(resource);
      outcomes.push({ errorCode: Errors.NONE.code, errorMessage: null, resourceType, resourceName });
    } catch (thrown) {
      outcomes.push(refused(resource, thrown));
    }
  }
  return outcomes;
}

async function change(
  { resourceType, resourceName }: Resource,
  settings: () => Promise<Settings>,
  validateOnly: boolean,
  { adminZkClient, validateTopicConfig }: AlterConfigsOptions,
): Promise<void> {
  if (resourceType !== topicResource) {
    throw new KafkaError(Errors.INVALID_REQUEST, 'Only the settings of topics can be changed while brokers run');
  }
  const next = await settings();
  if (validateOnly) validateTopicConfig(next);
  else await adminZkClient.changeTopicConfig(resourceName, next);
}

function replaced(configs: readonly { readonly name: string; readonly value: string | null }[]): Settings {
  const nulls = configs.filter(({ value }) => value === null).map(({ name }) => name);
  if (nulls.length > 0)
    throw new KafkaError(Errors.INVALID_REQUEST, `Null value not supported for : ${nulls.join(',')}`);
  return Object.fromEntries(configs.map(({ name, value }) => [name, value!]));
}

function applied(current: Settings, changes: readonly ConfigChange[]): Settings {
  const names = changes.map(({ name }) => name);
  if (new Set(names).size !== names.length) {
    const twice = names.filter((name, index) => names.indexOf(name) !== index);
    throw new KafkaError(Errors.INVALID_REQUEST, `Error due to duplicate config keys : ${twice.join(',')}`);
  }
  const next = new Map(Object.entries(current));
  for (const { name, value, configOperation } of changes) {
    if (configOperation === opType.delete) next.delete(name);
    else if (value === null) throw new KafkaError(Errors.INVALID_REQUEST, `Null value not supported for : ${name}`);
    else if (configOperation === opType.set) next.set(name, value);
    else next.set(name, changedList(name, next.get(name), value, configOperation));
  }
  return Object.fromEntries(next);
}

function changedList(name: string, current: string | undefined, value: string, operation: number): string {
  if (operation !== opType.append && operation !== opType.subtract) {
    throw new KafkaError(Errors.INVALID_REQUEST, `Unknown config operation ${operation} for ${name}`);
  }
  if (!isListConfig(name)) {
    const verb = operation === opType.append ? 'APPEND' : 'SUBTRACT';
    throw new KafkaError(Errors.INVALID_REQUEST, `Config value ${verb} is not allowed for config key: ${name}`);
  }
  const items = (current ?? '').split(',').filter((item) => item !== '');
  const given = value.split(',').filter((item) => item !== '');
  const kept = items.filter((item) => operation === opType.append || !given.includes(item));
  return [...kept, ...(operation === opType.append ? given.filter((item) => !items.includes(item)) : [])].join(',');
}

function refused(resource: Resource, thrown: unknown): Outcome {
  if (thrown instanceof InvalidConfigError) {
    const named = `ConfigResource(type=TOPIC, name='${resource.resourceName}')`;
    return failed(resource, Errors.INVALID_REQUEST, `Invalid config value for resource ${named}: ${thrown.message}`);
  }
  const { error, message, expected } = toApiError(thrown);
  if (!expected) throw thrown;
  return failed(resource, error, message);
}

function failed({ resourceType, resourceName }: Resource, error: ErrorEntry, message: string): Outcome {
  return { errorCode: error.code, errorMessage: message, resourceType, resourceName };
}
