import type { LoggedRequest } from './request-log.ts';

interface PartitionState {
  readonly partitionIndex: number;
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
}

interface TopicState {
  readonly topicName: string;
  readonly partitionStates: readonly PartitionState[];
}

/**
 * Tells requests between brokers in lines, oldest first: who asked whom, by which API, what was in it. Fetches come at the
 * end, one line for each pair of brokers. Requests of clients are left out.
 *
 * @param topic when given, partitions of other topics are left out
 */
export function rpcStory(requests: readonly LoggedRequest[], topic?: string): string[] {
  const ordered = [...requests].sort((a, b) => a.receivedAtMs - b.receivedAtMs);
  const lines: string[] = [];
  for (const request of ordered) {
    const sender = senderOf(request);
    const content = sender === undefined ? undefined : contentOf(request, topic);
    if (content === undefined) continue;
    const head = `${clock(request.receivedAtMs)}  ${sender} → broker ${request.to}`;
    lines.push(`${head}  ${request.api} v${request.apiVersion}  ${content}`);
  }
  return [...lines, ...fetches(ordered)];
}

/** Brokers are told by their client ids: the bare id in requests of the controller, `broker-<id>-fetcher-…` in fetches. */
function senderOf(request: LoggedRequest): string | undefined {
  const fetcher = /^broker-(\d+)-/.exec(request.clientId);
  if (fetcher !== null) return `broker ${fetcher[1]}`;
  if (!/^\d+$/.test(request.clientId)) return undefined;
  return request.api === 'CONTROLLED_SHUTDOWN' ? `broker ${request.clientId}` : `controller ${request.clientId}`;
}

function contentOf(request: LoggedRequest, topic: string | undefined): string | undefined {
  switch (request.api) {
    case 'LEADER_AND_ISR':
      return epochs(request) + states(request, topic);
    case 'UPDATE_METADATA': {
      const live = request.request['liveBrokers'] as readonly { id: number }[] | undefined;
      const ids = (live ?? []).map((broker) => broker.id).sort((a, b) => a - b);
      return `${epochs(request)}live brokers [${ids.join(',')}]; ${states(request, topic)}`.replace(/; $/, '');
    }
    case 'STOP_REPLICA':
      return epochs(request).replace(/; $/, '');
    case 'CONTROLLED_SHUTDOWN':
      return 'asks to be relieved of its leaders';
    case 'OFFSET_FOR_LEADER_EPOCH':
      return endOffsets(request, topic);
    default:
      return undefined;
  }
}

function epochs(request: LoggedRequest): string {
  return `controller epoch ${String(request.request['controllerEpoch'])}; `;
}

function states(request: LoggedRequest, topic: string | undefined): string {
  const topics = (request.request['topicStates'] ?? []) as readonly TopicState[];
  return topics
    .filter(({ topicName }) => topic === undefined || topicName === topic)
    .flatMap(({ topicName, partitionStates }) => partitionStates.map((state) => ({ topicName, ...state })))
    .sort((a, b) => a.topicName.localeCompare(b.topicName) || a.partitionIndex - b.partitionIndex)
    .map(
      ({ topicName, partitionIndex, leader, leaderEpoch, isr }) =>
        `${topicName}-${partitionIndex} leader ${leader} epoch ${leaderEpoch} isr [${isr.join(',')}]`,
    )
    .join('; ');
}

interface EpochTopic {
  readonly topic: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly leaderEpoch: number;
    readonly endOffset: number;
  }[];
}

function endOffsets(request: LoggedRequest, topic: string | undefined): string {
  const topics = (request.response['topics'] ?? []) as readonly EpochTopic[];
  return topics
    .filter((each) => topic === undefined || each.topic === topic)
    .flatMap((each) =>
      each.partitions.map((end) => `${each.topic}-${end.partition} epoch ${end.leaderEpoch} ends at ${end.endOffset}`),
    )
    .join('; ');
}

function fetches(requests: readonly LoggedRequest[]): string[] {
  const counts = new Map<string, number>();
  for (const request of requests) {
    const sender = request.api === 'FETCH' ? senderOf(request) : undefined;
    if (sender === undefined) continue;
    const pair = `${sender} → broker ${request.to}`;
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  return [...counts].sort().map(([pair, count]) => `${pair}  FETCH × ${count}`);
}

function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}
