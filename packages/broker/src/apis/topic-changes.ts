import type { AdminZkClient } from '@klassic/controller';
import { Errors, KafkaError } from '@klassic/protocol';
import type { ErrorEntry, RequestOf } from '@klassic/protocol';
import type { MetadataCache } from '../metadata/index.ts';
import type { ApiHandler } from './api-handler.ts';
import type { MetadataWatch } from './metadata-watch.ts';
import { hasLeaders } from './metadata-watch.ts';
import { answerMessage, toApiError } from './request-errors.ts';

export interface TopicChangeOptions {
  readonly adminZkClient: Pick<AdminZkClient, 'deleteTopic' | 'addPartitions'>;
  readonly metadataCache: Pick<MetadataCache, 'contains' | 'getPartitionInfo'>;
  readonly metadataWatch: MetadataWatch;
  /** `delete.topic.enable` */
  readonly deleteTopicEnable: boolean;
  /** Whether the controller, which is this broker, is to delete the topic. */
  readonly isQueuedForDeletion: (topic: string) => boolean;
}

interface Outcome {
  readonly name: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/** DeleteTopics on the controller: marks the topics, then waits until the brokers know them no more. */
export function deleteTopicsHandler(options: TopicChangeOptions): ApiHandler<'DeleteTopics'> {
  const { adminZkClient, metadataCache, metadataWatch } = options;
  const namesOf = (body: RequestOf<'DeleteTopics'>): string[] =>
    body.topicNames.length > 0 ? body.topicNames : body.topics.map(({ name }) => name ?? '');
  return {
    api: 'DeleteTopics',
    minVersion: 0,
    maxVersion: 6,
    async handle({ body, header: { apiVersion } }) {
      if (!options.deleteTopicEnable) {
        throw new KafkaError(apiVersion < 3 ? Errors.INVALID_REQUEST : Errors.TOPIC_DELETION_DISABLED);
      }
      if (body.topics.some(({ name }) => name === null)) {
        throw new KafkaError(
          Errors.UNSUPPORTED_VERSION,
          'Topic ids are not known at inter.broker.protocol.version 2.6',
        );
      }
      const byName = new Map<string, Outcome>();
      for (const name of new Set(namesOf(body))) {
        const { UNKNOWN_TOPIC_OR_PARTITION: unknown } = Errors;
        byName.set(
          name,
          metadataCache.contains(name)
            ? await outcomeOf(name, () => adminZkClient.deleteTopic(name))
            : failed(name, unknown, unknown.message),
        );
      }
      const outcomes = namesOf(body).map((name) => byName.get(name)!);
      const marked = outcomes.filter(({ errorCode }) => errorCode === Errors.NONE.code).map(({ name }) => name);
      await metadataWatch.waitUntil(() => marked.every((name) => !metadataCache.contains(name)), body.timeoutMs);
      return {
        responses: outcomes.map((outcome) =>
          outcome.errorCode === Errors.NONE.code && metadataCache.contains(outcome.name)
            ? failed(outcome.name, Errors.REQUEST_TIMED_OUT, Errors.REQUEST_TIMED_OUT.message)
            : outcome,
        ),
      };
    },
    failure: ({ body }, error, message) => ({ responses: namesOf(body).map((name) => failed(name, error, message)) }),
  };
}

/**
 * CreatePartitions on the controller: writes the larger assignments, then waits until each partition of the topics, old
 * or new, has a leader (`DelayedCreatePartitions`).
 */
export function createPartitionsHandler(options: TopicChangeOptions): ApiHandler<'CreatePartitions'> {
  const { adminZkClient, metadataCache, metadataWatch, isQueuedForDeletion } = options;
  return {
    api: 'CreatePartitions',
    minVersion: 0,
    maxVersion: 3,
    async handle({ body }) {
      const names = body.topics.map(({ name }) => name);
      const duplicates = new Set(names.filter((name, index) => names.indexOf(name) !== index));
      const results: Outcome[] = [];
      for (const { name, count, assignments } of body.topics) {
        if (duplicates.has(name)) continue;
        if (isQueuedForDeletion(name)) {
          results.push(failed(name, Errors.INVALID_TOPIC_EXCEPTION, 'The topic is queued for deletion.'));
          continue;
        }
        const replicas = assignments?.map(({ brokerIds }) => brokerIds) ?? null;
        results.push(
          await outcomeOf(name, () => adminZkClient.addPartitions(name, count, replicas, body.validateOnly)),
        );
      }
      for (const name of duplicates) {
        results.push(failed(name, Errors.INVALID_REQUEST, 'Duplicate topic in request.'));
      }
      if (body.validateOnly) return { results };
      const counts = new Map(body.topics.map(({ name, count }) => [name, count]));
      const isLed = ({ name }: Outcome): boolean => hasLeaders(name, counts.get(name)!, metadataCache);
      const added = results.filter(({ errorCode }) => errorCode === Errors.NONE.code);
      await metadataWatch.waitUntil(() => added.every(isLed), body.timeoutMs);
      return {
        results: results.map((result) =>
          added.includes(result) && !isLed(result)
            ? failed(result.name, Errors.REQUEST_TIMED_OUT, Errors.REQUEST_TIMED_OUT.message)
            : result,
        ),
      };
    },
    failure: ({ body }, error, message) => ({ results: body.topics.map(({ name }) => failed(name, error, message)) }),
  };
}

async function outcomeOf(name: string, change: () => Promise<unknown>): Promise<Outcome> {
  try {
    await change();
    return { name, errorCode: Errors.NONE.code, errorMessage: null };
  } catch (thrown) {
    const { error, message, expected } = toApiError(thrown);
    if (!expected) throw thrown;
    return failed(name, error, message);
  }
}

function failed(name: string, error: ErrorEntry, message: string): Outcome {
  return { name, errorCode: error.code, errorMessage: answerMessage(error, message) };
}
