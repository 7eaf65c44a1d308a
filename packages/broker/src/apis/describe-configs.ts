import { Errors } from '@klassic/protocol';
import type { RequestOf, ResponseInit } from '@klassic/protocol';
import type { MetadataCache } from '../metadata/index.ts';
import type { KafkaConfig } from '../server/kafka-config.ts';
import { configDefinitions } from '../server/config-definitions.ts';
import type { ApiHandler } from './api-handler.ts';
import { configSource, configType, topicConfigEntries } from './topic-config-entries.ts';

type Resource = RequestOf<'DescribeConfigs'>['resources'][number];
type Result = NonNullable<ResponseInit<'DescribeConfigs'>['results']>[number];
type Entry = NonNullable<Result['configs']>[number];

/** Codes of `ConfigResource.Type`. */
const resourceType = { topic: 2, broker: 4 } as const;

export interface DescribeConfigsOptions {
  readonly config: KafkaConfig;
  readonly metadataCache: MetadataCache;
  /** A topic's own settings (`/config/topics/<topic>`). */
  readonly topicOverrides: (topic: string) => Promise<Readonly<Record<string, string>>>;
}

/** DescribeConfigs of topics and of this broker (`ConfigHelper.describeConfigs`). */
export function describeConfigsHandler(options: DescribeConfigsOptions): ApiHandler<'DescribeConfigs'> {
  return {
    api: 'DescribeConfigs',
    minVersion: 0,
    maxVersion: 4,
    async handle({ body, header: { apiVersion } }) {
      const results: Result[] = [];
      for (const resource of body.resources) results.push(await describe(resource, options));
      return { results: apiVersion === 0 ? results.map(inVersion0) : results };
    },
    failure: ({ body }, error, message) => ({
      results: body.resources.map((resource) => failed(resource, error.code, message)),
    }),
  };
}

/** The first version says whether a value is the default, not where it comes from. */
function inVersion0(result: Result): Result {
  const configs = result.configs?.map((entry) => ({
    ...entry,
    isDefault: entry.configSource === configSource.default,
  }));
  return { ...result, configs: configs ?? [] };
}

async function describe(resource: Resource, options: DescribeConfigsOptions): Promise<Result> {
  const { resourceType: type, resourceName: name } = resource;
  if (type === resourceType.topic) {
    if (!options.metadataCache.contains(name)) return failed(resource, Errors.UNKNOWN_TOPIC_OR_PARTITION.code, null);
    return found(resource, await topicEntries(name, options));
  }
  if (type !== resourceType.broker) {
    return failed(resource, Errors.INVALID_REQUEST.code, `Unsupported resource type: ${type}`);
  }
  const { brokerId } = options.config;
  if (name !== '' && name !== String(brokerId)) {
    const text = `Unexpected broker id, expected ${brokerId} or empty string, but received ${name}`;
    return failed(resource, Errors.INVALID_REQUEST.code, text);
  }
  return found(resource, name === '' ? [] : brokerEntries(options.config));
}

async function topicEntries(topic: string, options: DescribeConfigsOptions): Promise<Entry[]> {
  const overrides = await options.topicOverrides(topic);
  return topicConfigEntries(options.config.originals, overrides).map(({ name, value, source, type }) => ({
    name,
    value,
    readOnly: false,
    configSource: source,
    isSensitive: false,
    synonyms: [],
    configType: type,
    documentation: null,
  }));
}

function brokerEntries(config: KafkaConfig): Entry[] {
  return Object.entries(configDefinitions).map(([name, definition]) => {
    const isSensitive = definition.type === 'password';
    const isGiven = name in config.originals;
    return {
      name,
      value: isSensitive ? null : (config.originals[name] ?? definition.default),
      readOnly: definition.updateMode === 'read-only',
      configSource: isGiven ? configSource.staticBroker : configSource.default,
      isSensitive,
      synonyms: [],
      configType: configType[definition.type],
      documentation: null,
    };
  });
}

function found({ resourceType, resourceName, configurationKeys }: Resource, entries: readonly Entry[]): Result {
  const configs =
    configurationKeys === null ? [...entries] : entries.filter(({ name }) => configurationKeys.includes(name!));
  return { errorCode: Errors.NONE.code, errorMessage: '', resourceType, resourceName, configs };
}

function failed({ resourceType, resourceName }: Resource, errorCode: number, errorMessage: string | null): Result {
  return { errorCode, errorMessage, resourceType, resourceName, configs: [] };
}
