import type { Time } from '@klassic/common';
import type { NetworkRequest } from '@klassic/network';
import { Errors } from '@klassic/protocol';
import type { RequestOf, ResponseInit } from '@klassic/protocol';
import type { MetadataCache } from '../metadata/index.ts';
import { clientOf } from '../quota/index.ts';
import type { QuotaManagers } from '../quota/index.ts';
import type { ApiHandler } from './api-handler.ts';

type MutatingApi = 'CreateTopics' | 'CreatePartitions' | 'DeleteTopics';

/** What the quota must know of an API that makes or deletes partitions. */
interface Mutations<A extends MutatingApi, T> {
  /** From this version on a client can be told THROTTLING_QUOTA_EXCEEDED. */
  readonly strictSince: number;
  readonly topicsOf: (body: RequestOf<A>) => readonly T[];
  readonly nameOf: (topic: T) => string;
  /** How many partitions are made or deleted. */
  readonly partitionsOf: (topic: T) => number;
  /** The request for these topics only. */
  readonly bodyOf: (body: RequestOf<A>, topics: readonly T[]) => RequestOf<A>;
  /** The answer, with the topics that were refused added. */
  readonly answerOf: (answer: ResponseInit<A>, refused: readonly Refusal[]) => ResponseInit<A>;
}

interface Refusal {
  readonly name: string;
  readonly errorCode: number;
  readonly errorMessage: string;
}

export interface MutationLimitsOptions {
  readonly quotas: QuotaManagers;
  readonly metadataCache: MetadataCache;
  readonly time: Time;
  /** `num.partitions` */
  readonly defaultPartitions: number;
}

/** Holds CreateTopics to the client's `controller_mutation_rate` (KIP-599), on the broker that takes the request. */
export function limitedCreateTopics(
  handler: ApiHandler<'CreateTopics'>,
  options: MutationLimitsOptions,
): ApiHandler<'CreateTopics'> {
  return limited(handler, options, {
    strictSince: 6,
    topicsOf: ({ validateOnly, topics }) => (validateOnly ? [] : topics),
    nameOf: ({ name }) => name,
    partitionsOf: ({ assignments, numPartitions }) =>
      assignments.length > 0 ? assignments.length : numPartitions < 0 ? options.defaultPartitions : numPartitions,
    bodyOf: (body, topics) => ({ ...body, topics: [...topics] }),
    answerOf: (answer, refused) => ({ ...answer, topics: [...(answer.topics ?? []), ...refused] }),
  });
}

/** As `limitedCreateTopics`. */
export function limitedCreatePartitions(
  handler: ApiHandler<'CreatePartitions'>,
  options: MutationLimitsOptions,
): ApiHandler<'CreatePartitions'> {
  return limited(handler, options, {
    strictSince: 3,
    topicsOf: ({ validateOnly, topics }) => (validateOnly ? [] : topics),
    nameOf: ({ name }) => name,
    partitionsOf: ({ name, count }) => Math.max(0, count - (options.metadataCache.numPartitions(name) ?? count)),
    bodyOf: (body, topics) => ({ ...body, topics: [...topics] }),
    answerOf: (answer, refused) => ({ ...answer, results: [...(answer.results ?? []), ...refused] }),
  });
}

/** As `limitedCreateTopics`. */
export function limitedDeleteTopics(
  handler: ApiHandler<'DeleteTopics'>,
  options: MutationLimitsOptions,
): ApiHandler<'DeleteTopics'> {
  return limited(handler, options, {
    strictSince: 5,
    topicsOf: ({ topicNames, topics }) => [...topicNames, ...topics.flatMap(({ name }) => name ?? [])],
    nameOf: (name) => name,
    partitionsOf: (name) => options.metadataCache.numPartitions(name) ?? 0,
    bodyOf: (body, names) => ({
      ...body,
      topicNames: body.topicNames.filter((name) => names.includes(name)),
      topics: body.topics.filter(({ name }) => name === null || names.includes(name)),
    }),
    answerOf: (answer, refused) => ({ ...answer, responses: [...(answer.responses ?? []), ...refused] }),
  });
}

function limited<A extends MutatingApi, T>(
  handler: ApiHandler<A>,
  { quotas, time }: MutationLimitsOptions,
  mutations: Mutations<A, T>,
): ApiHandler<A> {
  const { strictSince, topicsOf, nameOf, partitionsOf, bodyOf, answerOf } = mutations;
  return {
    ...handler,
    async handle(request) {
      const isStrict = request.header.apiVersion >= strictSince;
      const quota = quotas.controllerMutation.newQuotaFor(clientOf(request), isStrict, time.milliseconds());
      const topics = topicsOf(request.body);
      const accepted: T[] = [];
      const refused: Refusal[] = [];
      for (const topic of topics) {
        if (quota.record(partitionsOf(topic), time.milliseconds())) accepted.push(topic);
        else refused.push(refusal(nameOf(topic)));
      }
      const passedOn = refused.length === 0 ? request : withBody(request, bodyOf(request.body, accepted));
      const answer = await handler.handle(passedOn);
      request.throttle(quota.throttleTimeMs(time.milliseconds()));
      return answer === null || refused.length === 0 ? answer : answerOf(answer, refused);
    },
  };
}

function withBody<A extends MutatingApi>(request: NetworkRequest<A>, body: RequestOf<A>): NetworkRequest<A> {
  return Object.create(request, { body: { value: body } }) as NetworkRequest<A>;
}

function refusal(name: string): Refusal {
  const { code, message } = Errors.THROTTLING_QUOTA_EXCEEDED;
  return { name, errorCode: code, errorMessage: message };
}
