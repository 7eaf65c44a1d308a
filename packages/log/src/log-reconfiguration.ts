import { topicPartitionKey } from '@klassic/common';
import { cleanerConfigFromProps } from './cleaner/cleaner-config.ts';
import type { LogCleaner } from './cleaner/log-cleaner.ts';
import type { LogConfig } from './log-config.ts';
import type { LogConfigs } from './log-configs.ts';
import type { LogPools } from './log-pools.ts';
import type { Log } from './log.ts';

type Settings = Readonly<Record<string, string>>;

/** Settings of logs and of their cleaner that change while the broker runs. */
export class LogReconfiguration {
  private readonly configs: LogConfigs;
  private readonly pools: LogPools;
  private readonly cleaner: LogCleaner | null;

  constructor(configs: LogConfigs, pools: LogPools, cleaner: LogCleaner | null) {
    this.configs = configs;
    this.pools = pools;
    this.cleaner = cleaner;
  }

  /** A topic's own settings changed. @throws InvalidConfigError */
  updateTopicConfig(topic: string, overrides: Settings): void {
    const config = this.configs.fetch(topic, overrides);
    for (const log of this.pools.all()) {
      if (log.topicPartition.topic === topic) this.update(log, config);
    }
  }

  /**
   * The broker's defaults changed (`log.*` and their like): so do all logs whose topics do not have their own.
   *
   * @param brokerDefaults all broker settings by name
   * @throws InvalidConfigError, and changes nothing then
   */
  reconfigureDefaultLogConfig(brokerDefaults: Settings): void {
    this.configs.reconfigureDefaults(brokerDefaults);
    const byTopic = new Map<string, LogConfig>();
    for (const log of this.pools.all()) {
      const { topic } = log.topicPartition;
      let config = byTopic.get(topic);
      if (config === undefined) byTopic.set(topic, (config = this.configs.fetch(topic)));
      this.update(log, config);
    }
  }

  /**
   * Whether new settings of the cleaner (`log.cleaner.*`) may be taken over while the broker runs.
   *
   * @param broker all broker settings by name
   * @throws InvalidConfigError
   */
  validateCleanerReconfiguration(broker: Settings): void {
    const config = cleanerConfigFromProps(broker);
    this.cleaner?.validateReconfiguration(config);
  }

  /**
   * Takes over new settings of the cleaner: threads, buffers, rate, backoff. Whether there is a cleaner at all
   * (`log.cleaner.enable`) is settled at the start.
   *
   * @param broker all broker settings by name
   * @throws InvalidConfigError, and changes nothing then
   */
  reconfigureCleaner(broker: Settings): void {
    this.cleaner?.reconfigure(cleanerConfigFromProps(broker));
  }

  private update(log: Log, config: LogConfig): void {
    const { topic, partition } = log.topicPartition;
    const wasCompacted = log.config.cleanupPolicy.includes('compact');
    if (wasCompacted && !config.cleanupPolicy.includes('compact')) {
      this.cleaner?.manager.abortCleaning(topicPartitionKey(topic, partition));
    }
    log.updateConfig(config);
  }
}
