import type { RecordedRpc } from '@klassic/test-support';

interface EpochsRequest {
  readonly replicaId: number;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly { partition: number; currentLeaderEpoch: number; leaderEpoch: number }[];
  }[];
}

interface EpochsResponse {
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly { partition: number; errorCode: number; leaderEpoch: number; endOffset: number }[];
  }[];
}

/** Asked too early or too late (UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER, FENCED and UNKNOWN_LEADER_EPOCH): it is asked again. */
const askedAgain: readonly number[] = [3, 6, 74, 75];

/** What followers asked of leaders about leader epochs before they truncated, by partition and follower; repeats once. */
export function epochsAsked(
  rpcs: readonly Pick<RecordedRpc, 'to' | 'api' | 'request' | 'response'>[],
): Record<string, string[]> {
  const asked: Record<string, string[]> = {};
  for (const { to, api, request, response } of rpcs) {
    if (api !== 'OFFSET_FOR_LEADER_EPOCH') continue;
    const { replicaId, topics } = request as unknown as EpochsRequest;
    const answers = (response as EpochsResponse).topics.flatMap(({ topic, partitions }) =>
      partitions.map((each) => [`${topic}-${each.partition}`, each] as const),
    );
    for (const { topic, partitions } of topics) {
      for (const { partition, currentLeaderEpoch, leaderEpoch } of partitions) {
        const answer = answers.find(([name]) => name === `${topic}-${partition}`)![1];
        if (askedAgain.includes(answer.errorCode)) continue;
        const list = (asked[`${topic}-${partition} by broker-${replicaId}`] ??= []);
        const line =
          `${to} in epoch ${currentLeaderEpoch}: epoch ${leaderEpoch} => ` +
          `error ${answer.errorCode} epoch ${answer.leaderEpoch} end ${answer.endOffset}`;
        if (list.at(-1) !== line) list.push(line);
      }
    }
  }
  return Object.fromEntries(Object.entries(asked).sort(([a], [b]) => (a < b ? -1 : 1)));
}
