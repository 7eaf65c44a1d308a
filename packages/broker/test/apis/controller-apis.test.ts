import { describe, expect, it } from '@jest/globals';
import { MockTime } from '@klassic/common';
import type { ElectionResults } from '@klassic/controller';
import { ControllerContext } from '@klassic/controller';
import type { NetworkRequest } from '@klassic/network';
import { Errors, KafkaError } from '@klassic/protocol';
import type { ApiName, RequestInit, ResponseInit } from '@klassic/protocol';
import type { AnyApiHandler, ApiHandler } from '../../src/apis/api-handler.ts';
import { controlHandlers } from '../../src/apis/control.ts';
import type { ControlHandlerOptions } from '../../src/apis/control.ts';
import { onController } from '../../src/apis/controller-forwarding.ts';
import { electLeadersHandler } from '../../src/apis/elect-leaders.ts';
import { MetadataWatch } from '../../src/apis/metadata-watch.ts';
import { alterReassignmentsHandler } from '../../src/apis/reassignments.ts';
import { toApiError } from '../../src/apis/request-errors.ts';
import { createPartitionsHandler, deleteTopicsHandler } from '../../src/apis/topic-changes.ts';

/** Asks a handler as `KafkaApis` does. */
async function ask<A extends ApiName>(
  handlers: readonly AnyApiHandler[],
  api: A,
  version: number,
  body: RequestInit<A>,
): Promise<ResponseInit<A>> {
  const handler = handlers.find((each) => each.api === api) as unknown as ApiHandler<A>;
  const request = { api, header: { apiVersion: version, correlationId: 1 }, body } as unknown as NetworkRequest<A>;
  try {
    return (await handler.handle(request))!;
  } catch (thrown) {
    const { error, message, expected } = toApiError(thrown);
    if (!expected) throw thrown;
    return handler.failure(request, error, message);
  }
}

/** What the broker has been told: per `topic-partition` the leader. */
function cache(leaders: Map<string, number>): {
  contains: (topic: string) => boolean;
  getPartitionInfo: (topic: string, partition: number) => never;
} {
  return {
    contains: (topic) => [...leaders.keys()].some((key) => key.startsWith(`${topic}-`)),
    getPartitionInfo: (topic, partition) => {
      const leader = leaders.get(`${topic}-${partition}`);
      return (leader === undefined ? undefined : { leader }) as never;
    },
  };
}

describe('ElectLeaders', () => {
  const context = new ControllerContext();
  for (const partition of [0, 1, 2]) {
    const assignment = { replicas: [1, 2], addingReplicas: [], removingReplicas: [] };
    context.updatePartitionFullReplicaAssignment({ topic: 't', partition }, assignment);
  }

  function broker(results: ElectionResults, told: Map<string, number>) {
    const time = new MockTime();
    const metadataWatch = new MetadataWatch(time);
    const controller = { controllerContext: context, electLeaders: () => Promise.resolve(results) };
    const handlers = [electLeadersHandler({ controller, metadataCache: cache(told), metadataWatch, time })];
    return { time, metadataWatch, handlers: handlers as unknown as AnyApiHandler[] };
  }

  const all: ElectionResults = new Map([
    ['t-0', { leader: 2 }],
    ['t-1', { error: 'ELECTION_NOT_NEEDED', message: null }],
    ['t-2', { error: 'PREFERRED_LEADER_NOT_AVAILABLE', message: 'Failed' }],
  ] as const);
  const codes = ({ replicaElectionResults = [] }: ResponseInit<'ElectLeaders'>): unknown =>
    replicaElectionResults.flatMap(({ topic, partitionResult = [] }) =>
      partitionResult.map(({ partitionId, errorCode, errorMessage }) => [topic, partitionId, errorCode, errorMessage]),
    );

  it('answers when the broker has been told of the new leaders, and not before', async () => {
    const told = new Map([['t-0', 1]]);
    const { metadataWatch, handlers } = broker(all, told);
    const topicPartitions = [{ topic: 't', partitionId: [0, 1, 2, -1] }];
    let answer: ResponseInit<'ElectLeaders'> | undefined;
    const answered = ask(handlers, 'ElectLeaders', 2, { electionType: 0, topicPartitions, timeoutMs: 1000 }).then(
      (response) => {
        answer = response;
      },
    );
    await Promise.resolve();
    metadataWatch.changed();
    await new Promise((resolve) => setImmediate(resolve));
    expect(answer).toBeUndefined();
    told.set('t-0', 2);
    metadataWatch.changed();
    await answered;
    expect(codes(answer!)).toEqual([
      ['t', 0, Errors.NONE.code, null],
      ['t', 1, Errors.ELECTION_NOT_NEEDED.code, Errors.ELECTION_NOT_NEEDED.message],
      ['t', 2, Errors.PREFERRED_LEADER_NOT_AVAILABLE.code, 'Failed'],
      ['t', -1, Errors.UNKNOWN_TOPIC_OR_PARTITION.code, 'The partition does not exist.'],
    ]);
  });

  it('times out for the partitions that the broker was not told of', async () => {
    const { time, handlers } = broker(all, new Map());
    const answer = ask(handlers, 'ElectLeaders', 2, { electionType: 0, topicPartitions: null, timeoutMs: 1000 });
    await new Promise((resolve) => setImmediate(resolve));
    await time.advance(1000);
    // Asked for all, it does not name those that needed no election.
    expect(codes(await answer)).toEqual([
      ['t', 0, Errors.REQUEST_TIMED_OUT.code, null],
      ['t', 2, Errors.PREFERRED_LEADER_NOT_AVAILABLE.code, 'Failed'],
    ]);
  });
});

describe('CreatePartitions', () => {
  function broker(told: Map<string, number>, queued: readonly string[] = []) {
    const time = new MockTime();
    const metadataWatch = new MetadataWatch(time);
    const added: string[] = [];
    const adminZkClient = {
      deleteTopic: () => Promise.resolve(),
      addPartitions: (topic: string) => {
        added.push(topic);
        return Promise.resolve(new Map<number, readonly number[]>());
      },
    };
    const isQueuedForDeletion = (topic: string): boolean => queued.includes(topic);
    const options = {
      adminZkClient,
      metadataCache: cache(told),
      metadataWatch,
      deleteTopicEnable: true,
      isQueuedForDeletion,
    };
    const handlers = [createPartitionsHandler(options)] as unknown as AnyApiHandler[];
    return { time, metadataWatch, handlers, added };
  }
  const body = (...names: string[]): RequestInit<'CreatePartitions'> => ({
    topics: names.map((name) => ({ name, count: 3, assignments: null })),
    timeoutMs: 1000,
    validateOnly: false,
  });

  it('waits for a leader of every partition, old or new, and times out for the topics that lack one', async () => {
    const led = ['t-0', 't-1', 't-2', 'u-1', 'u-2'];
    const { time, metadataWatch, handlers } = broker(new Map(led.map((key) => [key, 1])));
    const answer = ask(handlers, 'CreatePartitions', 3, body('t', 'u'));
    await new Promise((resolve) => setImmediate(resolve));
    metadataWatch.changed();
    await time.advance(1000);
    expect((await answer).results).toMatchObject([
      { name: 't', errorCode: 0 },
      { name: 'u', errorCode: Errors.REQUEST_TIMED_OUT.code },
    ]);
  });

  it('refuses topics that are queued for deletion, and those that are named twice', async () => {
    const { handlers, added } = broker(new Map(), ['t']);
    const { results } = await ask(handlers, 'CreatePartitions', 3, body('t', 'u', 'u'));
    expect(results).toEqual([
      { name: 't', errorCode: Errors.INVALID_TOPIC_EXCEPTION.code, errorMessage: 'The topic is queued for deletion.' },
      { name: 'u', errorCode: Errors.INVALID_REQUEST.code, errorMessage: 'Duplicate topic in request.' },
    ]);
    expect(added).toEqual([]);
  });
});

describe('DeleteTopics', () => {
  const broker = (deleteTopicEnable: boolean, told: Map<string, number>) => {
    const time = new MockTime();
    const marked: string[] = [];
    const adminZkClient = {
      deleteTopic: (topic: string) => {
        marked.push(topic);
        return Promise.resolve();
      },
      addPartitions: () => Promise.reject(new Error('nobody asks for that')),
    };
    const metadataWatch = new MetadataWatch(time);
    const options = {
      adminZkClient,
      metadataCache: cache(told),
      metadataWatch,
      deleteTopicEnable,
      isQueuedForDeletion: () => false,
    };
    return { time, marked, metadataWatch, handlers: [deleteTopicsHandler(options)] as unknown as AnyApiHandler[] };
  };

  it.each([
    [2, Errors.INVALID_REQUEST.code],
    [3, Errors.TOPIC_DELETION_DISABLED.code],
  ])('in version %d is refused with %d where deletion is disabled', async (version, errorCode) => {
    const { handlers, marked } = broker(false, new Map([['t-0', 1]]));
    const answer = await ask(handlers, 'DeleteTopics', version, { topicNames: ['t'], topics: [], timeoutMs: 0 });
    expect(answer.responses).toMatchObject([{ name: 't', errorCode }]);
    expect(marked).toEqual([]);
  });

  it('waits until the topics are gone, and times out for those that are not', async () => {
    const told = new Map([
      ['t-0', 1],
      ['u-0', 1],
    ]);
    const { time, handlers, marked, metadataWatch } = broker(true, told);
    const topicNames = ['t', 'u', 'nowhere'];
    const answer = ask(handlers, 'DeleteTopics', 5, { topicNames, topics: [], timeoutMs: 1000 });
    await new Promise((resolve) => setImmediate(resolve));
    expect(marked).toEqual(['t', 'u']);
    told.delete('t-0');
    metadataWatch.changed();
    await time.advance(1000);
    expect((await answer).responses).toMatchObject([
      { name: 't', errorCode: 0 },
      { name: 'u', errorCode: Errors.REQUEST_TIMED_OUT.code },
      { name: 'nowhere', errorCode: Errors.UNKNOWN_TOPIC_OR_PARTITION.code },
    ]);
  });
});

describe('AlterPartitionReassignments', () => {
  it('asks for each partition once, with its last target, and answers in the same order', async () => {
    let asked: unknown;
    const controller = {
      alterPartitionReassignments: (request: readonly object[]) => {
        asked = request;
        const [first, ...others] = request.map(() => ({ error: 'NONE', message: null }) as const);
        return Promise.resolve([
          first!,
          ...others.map(() => ({ error: 'NO_REASSIGNMENT_IN_PROGRESS', message: null }) as const),
        ]);
      },
    };
    const handlers = [alterReassignmentsHandler(controller)] as unknown as AnyApiHandler[];
    const answer = await ask(handlers, 'AlterPartitionReassignments', 0, {
      timeoutMs: 1,
      topics: [
        {
          name: 't',
          partitions: [
            { partitionIndex: 0, replicas: [1] },
            { partitionIndex: 1, replicas: null },
          ],
        },
        { name: 't', partitions: [{ partitionIndex: 0, replicas: [2] }] },
      ],
    });
    expect(asked).toEqual([
      { partition: { topic: 't', partition: 0 }, target: [2] },
      { partition: { topic: 't', partition: 1 }, target: null },
    ]);
    const { code, message } = Errors.NO_REASSIGNMENT_IN_PROGRESS;
    expect(answer.responses).toEqual([
      {
        name: 't',
        partitions: [
          { partitionIndex: 0, errorCode: 0, errorMessage: null },
          { partitionIndex: 1, errorCode: code, errorMessage: message },
        ],
      },
    ]);
  });
});

describe('what the controller commands', () => {
  const from = (brokerEpoch: number): { controllerId: number; controllerEpoch: number; brokerEpoch: number } => ({
    controllerId: 1,
    controllerEpoch: 1,
    brokerEpoch,
  });
  const requests = (brokerEpoch: number): [ApiName, RequestInit<ApiName>][] => [
    ['LeaderAndIsr', { ...from(brokerEpoch), topicStates: [], liveLeaders: [] }],
    ['StopReplica', { ...from(brokerEpoch), topicStates: [] }],
    ['UpdateMetadata', { ...from(brokerEpoch), topicStates: [], liveBrokers: [] }],
  ];

  function broker() {
    const done: string[] = [];
    const note = <T>(what: string, answer: T): T => {
      done.push(what);
      return answer;
    };
    const replicaManager = {
      becomeLeaderOrFollower: () => Promise.resolve(note('LeaderAndIsr', { errorCode: 0 })),
      stopReplicas: () => Promise.resolve(note('StopReplica', { errorCode: 0 })),
      maybeUpdateMetadataCache: () => Promise.resolve(note('UpdateMetadata', [])),
    };
    const controller = {
      brokerEpoch: 20,
      controlledShutdown: () => Promise.reject(new KafkaError(Errors.STALE_CONTROLLER_EPOCH)),
    };
    const handlers = controlHandlers({
      controller,
      replicaManager: replicaManager as unknown as ControlHandlerOptions['replicaManager'],
      onLeadershipChange: () => undefined,
      beforeLeaderAndIsr: () => Promise.resolve(),
      onReplicaDeleted: () => undefined,
      onDeletedPartitions: () => undefined,
      onMetadata: () => undefined,
    });
    return { handlers, done };
  }

  it.each(requests(19))('is refused where it was meant for an earlier life of the broker: %s', async (api, body) => {
    const { handlers, done } = broker();
    expect(await ask(handlers, api, 3, body)).toMatchObject({ errorCode: Errors.STALE_BROKER_EPOCH.code });
    expect(done).toEqual([]);
  });

  // A later epoch: the controller knew of the broker's new registration before the broker did. -1: before KIP-380.
  it.each([20, 21, -1])('is done with broker epoch %d', async (epoch) => {
    const { handlers, done } = broker();
    for (const [api, body] of requests(epoch)) {
      expect(await ask(handlers, api, 3, body)).toMatchObject({ errorCode: 0 });
    }
    expect(done).toEqual(['LeaderAndIsr', 'StopReplica', 'UpdateMetadata']);
  });

  it('and who asks a broker that is not the controller to let it shut down hears STALE_CONTROLLER_EPOCH', async () => {
    const answer = await ask(broker().handlers, 'ControlledShutdown', 3, { brokerId: 2, brokerEpoch: 20 });
    expect(answer).toMatchObject({ errorCode: Errors.STALE_CONTROLLER_EPOCH.code, remainingPartitions: [] });
  });
});

describe('a request for the controller', () => {
  const own: ApiHandler<'ListPartitionReassignments'> = {
    api: 'ListPartitionReassignments',
    minVersion: 0,
    maxVersion: 0,
    handle: () => ({ errorCode: 0, errorMessage: 'done here', topics: [] }),
    failure: (_request, error, message) => ({ errorCode: error.code, errorMessage: message, topics: [] }),
  };
  const list = (handler: ApiHandler<'ListPartitionReassignments'>) =>
    ask([handler], 'ListPartitionReassignments', 0, { timeoutMs: 1, topics: null });

  it('is done by the controller itself, passed on by others, or refused where that is switched off', async () => {
    const asked: unknown[] = [];
    const forwarder = {
      forward: (api: ApiName, version: number, body: unknown) => {
        asked.push([api, version, body]);
        return Promise.resolve({ errorCode: 0, errorMessage: 'done there', topics: [] } as never);
      },
    };
    expect(await list(onController(own, () => true, forwarder))).toMatchObject({ errorMessage: 'done here' });
    expect(await list(onController(own, () => false, forwarder))).toMatchObject({ errorMessage: 'done there' });
    expect(asked).toEqual([['ListPartitionReassignments', 0, { timeoutMs: 1, topics: null }]]);
    const refused = await list(onController(own, () => false, undefined));
    expect(refused).toMatchObject({ errorCode: Errors.NOT_CONTROLLER.code });
  });
});
