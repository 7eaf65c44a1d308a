import { Errors } from '@klassic/protocol';
import type { ErrorEntry, ResponseInit } from '@klassic/protocol';
import type { MetadataCache } from '../metadata/index.ts';
import { groupMetadataTopic } from '../group/index.ts';
import type { GroupCoordinator } from '../group/index.ts';
import type { ApiHandler } from './api-handler.ts';
import type { AutoTopicCreation } from './auto-topic-creation.ts';

const groupKey = 0;
const transactionKey = 1;

/** What FindCoordinator needs. */
export interface FindCoordinatorOptions {
  readonly coordinator: GroupCoordinator;
  readonly metadataCache: MetadataCache;
  readonly autoTopicCreation: AutoTopicCreation;
}

/**
 * FindCoordinator: the leader of the partition of `__consumer_offsets` that the group belongs to. The first request of
 * all creates the topic; until it has leaders the coordinator is not available (scenario 13). No broker coordinates
 * transactions yet.
 */
export function findCoordinatorHandler(options: FindCoordinatorOptions): ApiHandler<'FindCoordinator'> {
  const { coordinator, metadataCache, autoTopicCreation } = options;
  return {
    api: 'FindCoordinator',
    minVersion: 0,
    maxVersion: 3,
    async handle({ body: { key, keyType }, context }) {
      if (keyType === transactionKey) return failed(Errors.COORDINATOR_NOT_AVAILABLE);
      if (keyType !== groupKey) return failed(Errors.INVALID_REQUEST);
      if (!metadataCache.contains(groupMetadataTopic)) {
        await autoTopicCreation.create(groupMetadataTopic);
        return failed(Errors.COORDINATOR_NOT_AVAILABLE);
      }
      const partition = coordinator.partitionFor(key);
      const leader = metadataCache.getPartitionLeaderEndpoint(groupMetadataTopic, partition, context.listenerName);
      if (leader === undefined) return failed(Errors.COORDINATOR_NOT_AVAILABLE);
      // The reference names the error of a success too.
      const { code: errorCode, message: errorMessage } = Errors.NONE;
      return { errorCode, errorMessage, nodeId: leader.id, host: leader.host, port: leader.port };
    },
    failure: (_request, error) => failed(error),
  };
}

function failed({ code, message }: ErrorEntry): ResponseInit<'FindCoordinator'> {
  return { errorCode: code, errorMessage: message, nodeId: -1, host: '', port: -1 };
}
