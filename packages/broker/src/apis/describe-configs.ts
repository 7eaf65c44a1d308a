import { hashMapOrder } from '@klassic/common';
import { validateTopicName } from '@klassic/controller';
import { Errors, KafkaError } from '@klassic/protocol';
import type { RequestOf, ResponseInit } from '@klassic/protocol';
import type { MetadataCache } from '../metadata/index.ts';
import { configDefinitions } from '../server/config-definitions.ts';
import { printedConfig } from '../server/config-text.ts';
import { definitionOf, isDynamicConfig } from '../server/dynamic-config-definitions.ts';
import type { KafkaConfig } from '../server/kafka-config.ts';
import type { Log4jController } from '../server/log4j-controller.ts';
import type { ApiHandler } from './api-handler.ts';
import { configSource, configType } from './config-codes.ts';
import { brokerIdOf, configResourceType } from './config-resource.ts';
import { configSynonyms, isSensitiveConfig } from './config-synonyms.ts';
import type { ConfigSynonym, DynamicConfigs } from './config-synonyms.ts';
import { toApiError } from './request-errors.ts';
import { topicConfigEntries } from './topic-config-entries.ts';

type Resource = RequestOf<'DescribeConfigs'>['resources'][number];
type Result = NonNullable<ResponseInit<'DescribeConfigs'>['results']>[number];
type Entry = NonNullable<Result['configs']>[number];

/** What a setting is for, by its name; null for one that is not described. */
export type ConfigDocumentation = (kind: 'broker' | 'topic', name: string) => string | null;

export interface DescribeConfigsOptions {
  readonly brokerId: number;
  readonly config: KafkaConfig;
  readonly dynamicConfig: DynamicConfigs;
  readonly log4j: Log4jController;
  readonly metadataCache: Pick<MetadataCache, 'contains'>;
  /** A topic's own settings (`/config/topics/<topic>`). */
  readonly topicOverrides: (topic: string) => Promise<Readonly<Record<string, string>>>;
  /** Asked for the first time when a client wants descriptions. */
  readonly documentation: () => Promise<ConfigDocumentation>;
}

/** What a request wants to know beside names and values. */
interface Wanted {
  readonly synonyms: boolean;
  readonly documentation: ConfigDocumentation | undefined;
}

/** DescribeConfigs of topics, of this broker, of all brokers, and of this broker's loggers (`ConfigHelper.describeConfigs`). */
export function describeConfigsHandler(options: DescribeConfigsOptions): ApiHandler<'DescribeConfigs'> {
  return {
    api: 'DescribeConfigs',
    minVersion: 0,
    maxVersion: 4,
    async handle({ body }) {
      if (body.resources.some(({ resourceType: type }) => !Object.values<number>(configResourceType).includes(type))) {
        throw new KafkaError(Errors.INVALID_REQUEST);
      }
      const wanted: Wanted = {
        synonyms: body.includeSynonyms,
        documentation: body.includeDocumentation ? await options.documentation() : undefined,
      };
      const results: Result[] = [];
      for (const resource of body.resources) results.push(await describe(resource, wanted, options));
      // Version 0 has a flag for defaults, which the original never sets.
      return { results };
    },
    failure: ({ body }, error) => ({ results: body.resources.map((each) => failed(each, error.code, error.message)) }),
  };
}

async function describe(resource: Resource, wanted: Wanted, options: DescribeConfigsOptions): Promise<Result> {
  try {
    switch (resource.resourceType) {
      case configResourceType.topic:
        return await describeTopic(resource, wanted, options);
      case configResourceType.broker:
        return found(resource, brokerEntries(resource, wanted, options));
      default:
        return found(resource, loggerEntries(resource, options));
    }
  } catch (thrown) {
    const { error, message, expected } = toApiError(thrown);
    if (!expected) throw thrown;
    return failed(resource, error.code, message);
  }
}

async function describeTopic(resource: Resource, wanted: Wanted, options: DescribeConfigsOptions): Promise<Result> {
  const { resourceName: topic } = resource;
  validateTopicName(topic);
  if (!options.metadataCache.contains(topic)) return failed(resource, Errors.UNKNOWN_TOPIC_OR_PARTITION.code, '');
  const overrides = await options.topicOverrides(topic);
  const entries = topicConfigEntries(options.config, options.dynamicConfig, overrides);
  return found(
    resource,
    entries.map(({ name, value, source, type, synonyms }) => ({
      name,
      value,
      readOnly: false,
      configSource: source,
      isSensitive: false,
      synonyms: wanted.synonyms ? [...synonyms] : [],
      configType: type,
      documentation: wanted.documentation?.('topic', name) ?? null,
    })),
  );
}

function brokerEntries({ resourceName }: Resource, wanted: Wanted, options: DescribeConfigsOptions): Entry[] {
  const { brokerId, config, dynamicConfig } = options;
  if (resourceName === '') {
    const set = dynamicConfig.currentDynamicDefaultConfigs;
    return hashMapOrder(Object.keys(set)).map((name) => {
      const synonyms = configSynonyms(name, dynamicConfig).filter(
        ({ source }) => source === configSource.dynamicDefaultBroker,
      );
      return brokerEntry(name, set[name]!, synonyms, wanted);
    });
  }
  if (brokerIdOf(resourceName) !== brokerId) {
    const text = `Unexpected broker id, expected ${brokerId} or empty string, but received ${resourceName}`;
    throw new KafkaError(Errors.INVALID_REQUEST, text);
  }
  const names = Object.keys(configDefinitions).filter((name) => configDefinitions[name]!.internal !== true);
  return hashMapOrder([...Object.keys(config.originals), ...names]).map((name) =>
    brokerEntry(name, valueOf(name, config, brokerId), configSynonyms(name, dynamicConfig), wanted),
  );
}

/** A setting's value as it was read; what has no definition of its own is told as it was given. */
function valueOf(name: string, { originals }: KafkaConfig, brokerId: number): string | null {
  // A generated id is the broker's all the same.
  if (name === 'broker.id') return String(brokerId);
  const definition = Object.hasOwn(configDefinitions, name) ? configDefinitions[name] : undefined;
  const text = originals[name] ?? definition?.default ?? null;
  return text === null || definition === undefined ? text : printedConfig(definition.type, text);
}

function brokerEntry(name: string, value: string | null, synonyms: readonly ConfigSynonym[], wanted: Wanted): Entry {
  const isSensitive = isSensitiveConfig(name);
  return {
    name,
    value: isSensitive ? null : value,
    readOnly: !isDynamicConfig(name),
    configSource: synonyms[0]?.source ?? configSource.default,
    isSensitive,
    synonyms: wanted.synonyms ? [...synonyms] : [],
    configType: configType[definitionOf(name)?.type ?? 'unknown'],
    documentation: wanted.documentation?.('broker', name) ?? null,
  };
}

function loggerEntries({ resourceName }: Resource, { brokerId, log4j }: DescribeConfigsOptions): Entry[] {
  if (resourceName === '') throw new KafkaError(Errors.INVALID_REQUEST, 'Broker id must not be empty');
  if (brokerIdOf(resourceName) !== brokerId) {
    const text = `Unexpected broker id, expected ${brokerId} but received ${resourceName}`;
    throw new KafkaError(Errors.INVALID_REQUEST, text);
  }
  const levels = log4j.loggers;
  return hashMapOrder(levels.keys()).map((name) => ({
    name,
    value: levels.get(name)!,
    readOnly: false,
    configSource: configSource.dynamicBrokerLogger,
    isSensitive: false,
    synonyms: [],
    configType: configType.unknown,
    documentation: '',
  }));
}

function found({ resourceType, resourceName, configurationKeys }: Resource, entries: readonly Entry[]): Result {
  const wanted = configurationKeys === null || configurationKeys.length === 0 ? undefined : new Set(configurationKeys);
  const kept = wanted === undefined ? entries : entries.filter(({ name }) => wanted.has(name!));
  const byName = new Map(kept.map((entry) => [entry.name!, entry]));
  const configs = hashMapOrder(byName.keys()).map((name) => byName.get(name)!);
  return { errorCode: Errors.NONE.code, errorMessage: '', resourceType, resourceName, configs };
}

function failed({ resourceType, resourceName }: Resource, errorCode: number, errorMessage: string | null): Result {
  return { errorCode, errorMessage, resourceType, resourceName, configs: [] };
}
