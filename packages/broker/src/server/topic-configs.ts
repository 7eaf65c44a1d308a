import type { LogManager } from '@klassic/log';
import type { KafkaZkClient } from '@klassic/zookeeper';
import { ZooKeeperError } from '@klassic/zookeeper';

/** What is read of `/config/topics`. */
export type TopicConfigStore = Pick<KafkaZkClient, 'getEntityConfigs' | 'getEntitiesConfigs' | 'getAllTopicsInCluster'>;

type Overrides = Readonly<Record<string, string>>;

const none: Overrides = {};

/**
 * The topics' own settings, read from ZooKeeper before a log is opened and again when a notification says that they
 * have changed. Logs are opened without waiting, so what they need is read ahead.
 */
export class TopicConfigs {
  private readonly store: TopicConfigStore;
  private readonly byTopic = new Map<string, Overrides>();

  constructor(store: TopicConfigStore) {
    this.store = store;
  }

  /** Reads the settings of every topic, before the logs are loaded. */
  async loadAll(): Promise<void> {
    const topics = await this.store.getAllTopicsInCluster();
    await this.load(topics);
  }

  /** Reads the settings of those topics that are not known yet. */
  async ensure(topics: Iterable<string>): Promise<void> {
    const missing = [...topics].filter((topic) => !this.byTopic.has(topic));
    if (missing.length > 0) await this.load(missing);
  }

  /** A topic's own settings; empty when it has none. */
  overridesOf(topic: string): Overrides {
    return this.byTopic.get(topic) ?? none;
  }

  /** Reads a topic's settings as they are now, past what is remembered. */
  async fetch(topic: string): Promise<Overrides> {
    try {
      return await this.store.getEntityConfigs('topics', topic);
    } catch (error) {
      if (error instanceof ZooKeeperError && error.code === 'NO_NODE') return none;
      throw error;
    }
  }

  /** Takes over a change: of the log too, where there is one. */
  update(topic: string, overrides: Overrides, logManager: LogManager): void {
    this.byTopic.set(topic, overrides);
    logManager.reconfiguration.updateTopicConfig(topic, overrides);
  }

  /** Forgets topics that are gone: one created later under the name may have other settings. */
  forget(topics: Iterable<string>): void {
    for (const topic of topics) this.byTopic.delete(topic);
  }

  private async load(topics: readonly string[]): Promise<void> {
    for (const [topic, overrides] of await this.store.getEntitiesConfigs('topics', topics)) {
      this.byTopic.set(topic, overrides);
    }
  }
}
