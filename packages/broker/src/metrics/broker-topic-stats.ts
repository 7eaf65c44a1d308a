/** What is counted of a topic's traffic, each under the name of the reference's meter without `PerSec`. */
export interface TopicCounters {
  messagesIn: number;
  bytesIn: number;
  bytesOut: number;
  /** Of records that were refused for their size. */
  bytesRejected: number;
  totalProduceRequests: number;
  totalFetchRequests: number;
  failedProduceRequests: number;
  failedFetchRequests: number;
}

export const topicCounterNames = [
  'messagesIn',
  'bytesIn',
  'bytesOut',
  'bytesRejected',
  'totalProduceRequests',
  'totalFetchRequests',
  'failedProduceRequests',
  'failedFetchRequests',
] as const satisfies readonly (keyof TopicCounters)[];

function newCounters(): TopicCounters {
  return {
    messagesIn: 0,
    bytesIn: 0,
    bytesOut: 0,
    bytesRejected: 0,
    totalProduceRequests: 0,
    totalFetchRequests: 0,
    failedProduceRequests: 0,
    failedFetchRequests: 0,
  };
}

/**
 * Counts what goes in and out of the topics hosted here. A topic is counted in one place, and all of them together when
 * somebody looks. Counterpart of `kafka.server.BrokerTopicStats`.
 */
export class BrokerTopicStats {
  /** Bytes of records fetched from leaders. */
  replicationBytesIn = 0;
  /** Bytes of records served to followers. */
  replicationBytesOut = 0;
  private readonly byTopic = new Map<string, TopicCounters>();
  /** Of topics that are no longer hosted, and of requests for topics that never were. */
  private readonly others = newCounters();

  /** The counters of a topic that is hosted here: kept until `remove`. */
  topic(name: string): TopicCounters {
    let counters = this.byTopic.get(name);
    if (counters === undefined) {
      counters = newCounters();
      this.byTopic.set(name, counters);
    }
    return counters;
  }

  /** The counters of a topic if it is counted; else those of all that have no counters of their own. */
  topicOrOthers(name: string): TopicCounters {
    return this.byTopic.get(name) ?? this.others;
  }

  /** Gives up a topic's own counters; what they counted stays in the sum. */
  remove(name: string): void {
    const counters = this.byTopic.get(name);
    if (counters === undefined) return;
    this.byTopic.delete(name);
    add(this.others, counters);
  }

  get topics(): ReadonlyMap<string, Readonly<TopicCounters>> {
    return this.byTopic;
  }

  /** The sum over all topics since the start. */
  all(): TopicCounters {
    const sum = newCounters();
    add(sum, this.others);
    for (const counters of this.byTopic.values()) add(sum, counters);
    return sum;
  }
}

function add(sum: TopicCounters, counters: Readonly<TopicCounters>): void {
  for (const name of topicCounterNames) sum[name] += counters[name];
}
