import { apiNames, grouped, rpcText, sortedJson } from '@klassic/test-support';
import type { RecordedRpc, Snapshot } from '@klassic/test-support';
import { brokerIdOf } from './elections.ts';
import type { Elections } from './elections.ts';

export type Rpc = Pick<RecordedRpc, 'from' | 'to' | 'api' | 'v' | 'request' | 'response'>;

interface PartitionStates {
  readonly topicName: string;
  readonly partitionStates: readonly { partitionIndex: number; leader: number; zkVersion: number }[];
}

/**
 * The controllers' requests by receiver and its life (its broker epochs, counted), with the errors they were answered with.
 *
 * @param before the tree when the scenario began
 * @param withRefreshes also those which tell an ISR that a leader has written: for a scenario in which each is waited for
 */
export function told(
  rpcs: readonly Rpc[],
  before: Snapshot,
  elections: Elections,
  withRefreshes: boolean,
): Record<string, string[]> {
  const requests = rpcs.filter(({ api }) => api in apiNames);
  const known = knownVersions(requests, before);
  const lives = new Map<string, unknown[]>();
  const life = ({ to, request }: Rpc): number => {
    const epochs = lives.get(to) ?? [];
    lives.set(to, epochs);
    if (!epochs.includes(request['brokerEpoch'])) epochs.push(request['brokerEpoch']);
    return epochs.indexOf(request['brokerEpoch']) + 1;
  };
  const news = newsOf();
  const sender = ({ from, request }: Rpc): string =>
    elections.nameOf(Number(request['controllerEpoch']), brokerIdOf(from));
  return grouped(
    requests.filter(
      (rpc) =>
        (withRefreshes || !isRefresh(rpc, known)) && news(rpc, `${rpc.to} life ${life(rpc)} from ${sender(rpc)}`),
    ),
    (rpc) => `${sender(rpc)} -> ${rpc.to} life ${life(rpc)}`,
    (rpc) => {
      const controllerId =
        `broker-${String(rpc.request['controllerId'])}` === rpc.from ? sender(rpc) : rpc.request['controllerId'];
      const text = rpcText(apiNames[rpc.api]!, rpc.v, { ...rpc.request, controllerId, brokerEpoch: life(rpc) });
      return `${text}${errorsText(rpc.response)}`;
    },
  );
}

/** What stands behind a request that was refused, as a whole or for some partitions. */
function errorsText(response: unknown): string {
  const { errorCode, partitionErrors } = response as {
    readonly errorCode: number;
    readonly partitionErrors?: readonly { readonly errorCode: number }[];
  };
  const refused = (partitionErrors ?? []).filter((each) => each.errorCode !== 0).map((each) => sortedJson(each));
  return [errorCode === 0 ? '' : ` => error ${errorCode}`, ...refused.sort().map((each) => ` => ${each}`)].join('');
}

/**
 * Whether a request tells its receiver anything that the one before did not. An UpdateMetadata that follows a notification of ISR
 * changes says nothing new of a topic that is being deleted, and names no partition of one that is gone: whether the
 * notification comes before the deletion is a matter of milliseconds.
 */
function newsOf(): (rpc: Rpc, receiver: string) => boolean {
  const last = new Map<string, string>();
  return ({ api, request }, receiver) => {
    if (api !== 'UPDATE_METADATA') return true;
    const states = (request['topicStates'] as PartitionStates[]).flatMap(({ topicName, partitionStates }) =>
      partitionStates.map((state) => [`${topicName}-${state.partitionIndex}`, sortedJson(state)] as const),
    );
    const brokers = request['liveBrokers'] as { readonly id: number }[];
    const facts = [...states, ['brokers', sortedJson([...brokers].sort((a, b) => a.id - b.id))] as const];
    const isNews = facts.filter(([name, text]) => last.get(`${receiver} ${name}`) !== text).length > 0;
    for (const [name, text] of facts) last.set(`${receiver} ${name}`, text);
    return isNews;
  };
}

/** The versions of partition states that the controller itself wrote, and those of the beginning. */
function knownVersions(requests: readonly Rpc[], before: Snapshot): Set<string> {
  const known = new Set<string>();
  for (const [path, { version }] of Object.entries(before)) {
    const [, topic, partition] = /^\/brokers\/topics\/([^/]+)\/partitions\/(\d+)\/state$/.exec(path) ?? [];
    if (topic !== undefined) known.add(`${topic}-${partition} ${version}`);
  }
  for (const { api, request } of requests) {
    if (api !== 'LEADER_AND_ISR') continue;
    for (const { topicName, partitionStates } of request['topicStates'] as PartitionStates[]) {
      for (const { partitionIndex, zkVersion } of partitionStates)
        known.add(`${topicName}-${partitionIndex} ${zkVersion}`);
    }
  }
  return known;
}

/** An UpdateMetadata that tells an ISR which a leader has written: when it comes depends on the notifications. */
function isRefresh({ api, request }: Rpc, known: ReadonlySet<string>): boolean {
  if (api !== 'UPDATE_METADATA') return false;
  const duringDelete = -2;
  return (request['topicStates'] as PartitionStates[]).some(({ topicName, partitionStates }) =>
    partitionStates.some(
      ({ partitionIndex, leader, zkVersion }) =>
        leader !== duringDelete && !known.has(`${topicName}-${partitionIndex} ${zkVersion}`),
    ),
  );
}

/** How many of the topic's partitions a request names; undefined when it does not name the topic. */
export function partitionCount(request: Record<string, unknown>, topic: string): number | undefined {
  return (request['topicStates'] as PartitionStates[]).find(({ topicName }) => topicName === topic)?.partitionStates
    .length;
}
