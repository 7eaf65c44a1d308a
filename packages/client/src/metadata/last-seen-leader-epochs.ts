import type { TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { PartitionInfo, TopicInfo } from './cluster.ts';

/** Answers that name a topic without partitions where there is no such topic, or it has just been created. */
const notThere: readonly number[] = [Errors.UNKNOWN_TOPIC_OR_PARTITION.code, Errors.LEADER_NOT_AVAILABLE.code];

/**
 * Of each partition the newest leader epoch that anybody told, so that what a broker tells that has not heard of an election
 * is known for old (KIP-320). Epochs begin again with a topic that was deleted and made anew. It is known by another id; and
 * without ids (before 2.8) when an answer came in between by which it was not there. The field of the same name in
 * `org.apache.kafka.clients.Metadata`, which goes by ids alone.
 */
export class LastSeenLeaderEpochs {
  private readonly byTopic = new Map<string, Map<number, number>>();

  /** -1 where nobody told one. */
  get({ topic, partition }: TopicPartition): number {
    return this.byTopic.get(topic)?.get(partition) ?? -1;
  }

  /** Takes an epoch that did not come with a leader; the first must. @returns whether it is newer */
  raise({ topic, partition }: TopicPartition, epoch: number): boolean {
    const seen = this.byTopic.get(topic)?.get(partition);
    if (seen === undefined || epoch <= seen) return false;
    this.byTopic.get(topic)!.set(partition, epoch);
    return true;
  }

  /** Forgets a topic's epochs where an answer shows that it is not the topic that was known. */
  noteTopic(known: TopicInfo | undefined, news: TopicInfo): void {
    const isGone = news.partitions.length === 0 && notThere.includes(news.errorCode);
    const hasOtherId = known !== undefined && known.topicId !== null && known.topicId !== news.topicId;
    if (isGone || (hasOtherId && news.topicId !== null)) this.byTopic.delete(news.name);
  }

  /** Takes note of a leader in an answer, which may have no epoch. @returns false when it is older than what is known */
  notePartition({ topic, partition, leaderEpoch }: PartitionInfo): boolean {
    const epochs = this.byTopic.get(topic) ?? new Map<number, number>();
    this.byTopic.set(topic, epochs);
    if (leaderEpoch < (epochs.get(partition) ?? -1) && leaderEpoch >= 0) return false;
    if (leaderEpoch < 0) epochs.delete(partition);
    else epochs.set(partition, leaderEpoch);
    return true;
  }
}
