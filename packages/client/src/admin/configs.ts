import { throwIfError } from '../client-errors.ts';
import type { ClientParts } from '../list-offsets.ts';
import type { Node } from '../metadata/cluster.ts';
import { retrying } from '../retrying.ts';
import { currentCluster } from './controller-call.ts';

/** Numbers of `ConfigResource.Type`. */
const resourceTypes = { topic: 2, broker: 4, brokerLogger: 8 } as const;

export type ConfigResourceType = keyof typeof resourceTypes;

export interface ConfigResource {
  readonly type: ConfigResourceType;
  /** A topic, a broker id, or '' for the default of all brokers. */
  readonly name: string;
}

export type ConfigSource =
  | 'UNKNOWN'
  | 'DYNAMIC_TOPIC_CONFIG'
  | 'DYNAMIC_BROKER_CONFIG'
  | 'DYNAMIC_DEFAULT_BROKER_CONFIG'
  | 'STATIC_BROKER_CONFIG'
  | 'DEFAULT_CONFIG'
  | 'DYNAMIC_BROKER_LOGGER_CONFIG';

const sources: readonly ConfigSource[] = [
  'UNKNOWN',
  'DYNAMIC_TOPIC_CONFIG',
  'DYNAMIC_BROKER_CONFIG',
  'DYNAMIC_DEFAULT_BROKER_CONFIG',
  'STATIC_BROKER_CONFIG',
  'DEFAULT_CONFIG',
  'DYNAMIC_BROKER_LOGGER_CONFIG',
];

export interface ConfigSynonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: ConfigSource;
}

export interface ConfigEntry {
  readonly name: string;
  /** null for a sensitive value. */
  readonly value: string | null;
  readonly source: ConfigSource;
  readonly isReadOnly: boolean;
  readonly isSensitive: boolean;
  /** Where the value comes from and what it hides, strongest first. */
  readonly synonyms: readonly ConfigSynonym[];
}

const operations = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

export interface ConfigChange {
  readonly name: string;
  readonly operation: keyof typeof operations;
  readonly value?: string;
}

/** Broker resources are known to the broker itself; all else to any. */
async function nodeFor(parts: ClientParts, resource: ConfigResource): Promise<Node> {
  const cluster = await currentCluster(parts);
  const own = resource.type === 'topic' || resource.name === '' ? undefined : cluster.nodes.get(Number(resource.name));
  return own ?? [...cluster.nodes.values()][0]!;
}

/** All settings of a resource. @throws KafkaError, TimeoutError */
export async function describeConfigs(parts: ClientParts, resource: ConfigResource): Promise<ConfigEntry[]> {
  return await retrying(parts.config, { what: 'describing configs' }, async () => {
    const answer = await parts.client.send(await nodeFor(parts, resource), 'DescribeConfigs', {
      resources: [{ resourceType: resourceTypes[resource.type], resourceName: resource.name, configurationKeys: null }],
      includeSynonyms: true,
    });
    const result = answer.results[0]!;
    throwIfError(result.errorCode, result.errorMessage);
    return result.configs.map((entry) => ({
      name: entry.name,
      value: entry.value,
      source: sources[entry.configSource] ?? 'UNKNOWN',
      isReadOnly: entry.readOnly,
      isSensitive: entry.isSensitive,
      synonyms: entry.synonyms.map(({ name, value, source }) => ({
        name,
        value,
        source: sources[source] ?? 'UNKNOWN',
      })),
    }));
  });
}

/** Changes some settings of a resource, leaving the others (KIP-339). @throws KafkaError, TimeoutError */
export async function incrementalAlterConfigs(
  parts: ClientParts,
  resource: ConfigResource,
  changes: readonly ConfigChange[],
): Promise<void> {
  await retrying(parts.config, { what: 'altering configs' }, async () => {
    const answer = await parts.client.send(await nodeFor(parts, resource), 'IncrementalAlterConfigs', {
      resources: [
        {
          resourceType: resourceTypes[resource.type],
          resourceName: resource.name,
          configs: changes.map(({ name, operation, value }) => ({
            name,
            configOperation: operations[operation],
            value: value ?? null,
          })),
        },
      ],
    });
    for (const { errorCode, errorMessage } of answer.responses) throwIfError(errorCode, errorMessage);
  });
}

/** Replaces all settings of a resource. @throws KafkaError, TimeoutError */
export async function alterConfigs(
  parts: ClientParts,
  resource: ConfigResource,
  settings: ReadonlyMap<string, string>,
): Promise<void> {
  await retrying(parts.config, { what: 'altering configs' }, async () => {
    const configs = [...settings].map(([name, value]) => ({ name, value }));
    const answer = await parts.client.send(await nodeFor(parts, resource), 'AlterConfigs', {
      resources: [{ resourceType: resourceTypes[resource.type], resourceName: resource.name, configs }],
      validateOnly: false,
    });
    for (const { errorCode, errorMessage } of answer.responses) throwIfError(errorCode, errorMessage);
  });
}
