import { validateTopicName } from '@klassic/controller';
import { Errors, KafkaError } from '@klassic/protocol';
import type { ErrorEntry, ResponseInit } from '@klassic/protocol';
import { isInternalTopic } from '../metadata/index.ts';
import type { MetadataCache, Node, TopicMetadataOptions } from '../metadata/index.ts';
import type { ApiHandler } from './api-handler.ts';
import { authorizedOperations } from './authorized-operations.ts';
import type { AutoTopicCreation } from './auto-topic-creation.ts';
import { toApiError } from './request-errors.ts';

type TopicResponse = NonNullable<ResponseInit<'Metadata'>['topics']>[number];

const noController = -1;

export interface MetadataHandlerOptions {
  readonly metadataCache: MetadataCache;
  readonly clusterId: string;
  readonly autoTopicCreation: AutoTopicCreation;
}

/** Metadata: who leads what, out of this broker's cache alone (`KafkaApis.handleTopicMetadataRequest`). */
export function metadataHandler(options: MetadataHandlerOptions): ApiHandler<'Metadata'> {
  const { metadataCache, clusterId, autoTopicCreation } = options;
  return {
    api: 'Metadata',
    minVersion: 0,
    maxVersion: 11,
    async handle({ body, header: { apiVersion }, context: { listenerName } }) {
      if (body.topics?.some(({ name }) => name === null) === true) {
        throw new KafkaError(Errors.INVALID_REQUEST, 'Topics are asked for by name');
      }
      // Version 0 has no null: an empty list asks for every topic there.
      const wantsAll = body.topics === null || (apiVersion === 0 && body.topics.length === 0);
      const names = wantsAll
        ? metadataCache.getAllTopics()
        : [...new Set((body.topics ?? []).map(({ name }) => name ?? ''))];
      const known = metadataCache.getTopicMetadata(names, listenerName, optionsOf(apiVersion));
      const found = new Set(known.map(({ name }) => name));
      const mayCreate = !wantsAll && body.allowAutoTopicCreation && autoTopicCreation.isEnabled;
      const missing = await Promise.all(
        names
          .filter((name) => !found.has(name))
          .map((name) => unknownTopic(name, mayCreate, wantsAll, autoTopicCreation)),
      );
      return {
        brokers: brokersOf(metadataCache.getAliveNodes(listenerName)),
        clusterId,
        controllerId: metadataCache.controllerId ?? noController,
        topics: [...known, ...missing.filter((topic) => topic !== undefined)].map((topic) => ({
          ...topic,
          ...(body.includeTopicAuthorizedOperations ? { topicAuthorizedOperations: authorizedOperations.topic } : {}),
        })),
        ...(body.includeClusterAuthorizedOperations
          ? { clusterAuthorizedOperations: authorizedOperations.cluster }
          : {}),
      };
    },
    failure: ({ body }, error) => ({
      brokers: [],
      clusterId: null,
      controllerId: noController,
      topics: (body.topics ?? []).map(({ name }) => emptyTopic(name ?? '', error)),
    }),
  };
}

/** DescribeCluster: the brokers and the controller (KIP-700). */
export function describeClusterHandler(metadataCache: MetadataCache, clusterId: string): ApiHandler<'DescribeCluster'> {
  return {
    api: 'DescribeCluster',
    minVersion: 0,
    maxVersion: 0,
    handle: ({ body, context: { listenerName } }) => ({
      errorCode: Errors.NONE.code,
      clusterId,
      controllerId: metadataCache.controllerId ?? noController,
      brokers: metadataCache
        .getAliveNodes(listenerName)
        .map(({ id, host, port, rack }) => ({ brokerId: id, host, port, rack })),
      ...(body.includeClusterAuthorizedOperations ? { clusterAuthorizedOperations: authorizedOperations.cluster } : {}),
    }),
    failure: (_request, error, message) => ({ errorCode: error.code, errorMessage: message, clusterId }),
  };
}

function optionsOf(apiVersion: number): TopicMetadataOptions {
  return { errorUnavailableEndpoints: apiVersion === 0, errorUnavailableListeners: apiVersion >= 6 };
}

function brokersOf(nodes: readonly Node[]): NonNullable<ResponseInit<'Metadata'>['brokers']> {
  return nodes.map(({ id, host, port, rack }) => ({ nodeId: id, host, port, rack }));
}

async function unknownTopic(
  name: string,
  mayCreate: boolean,
  wantsAll: boolean,
  autoTopicCreation: AutoTopicCreation,
): Promise<TopicResponse | undefined> {
  // It was deleted between the listing and the look-up.
  if (wantsAll) return undefined;
  try {
    validateTopicName(name);
    const created = mayCreate ? await autoTopicCreation.create(name) : undefined;
    return emptyTopic(name, created ?? Errors.UNKNOWN_TOPIC_OR_PARTITION);
  } catch (thrown) {
    const { error, expected } = toApiError(thrown);
    if (!expected) throw thrown;
    return emptyTopic(name, error);
  }
}

function emptyTopic(name: string, { code }: ErrorEntry): TopicResponse {
  return { errorCode: code, name, isInternal: isInternalTopic(name), partitions: [] };
}
