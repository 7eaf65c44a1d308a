import { logConfigFromProps } from './log-config.ts';
import type { LogConfig } from './log-config.ts';

type Settings = Readonly<Record<string, string>>;

/** The settings of topics' logs: a topic's own, with the broker's in their stead. */
export class LogConfigs {
  private readonly topicConfigs: (topic: string) => Settings;
  private brokerDefaults: Settings;
  /** What was read last: the partitions of a topic are made one after the other. */
  private last: { readonly overrides: Settings; readonly config: LogConfig } | undefined;

  /**
   * @param topicConfigs a topic's own settings
   * @throws InvalidConfigError
   */
  constructor(brokerDefaults: Settings, topicConfigs: (topic: string) => Settings) {
    logConfigFromProps(brokerDefaults, {});
    this.brokerDefaults = brokerDefaults;
    this.topicConfigs = topicConfigs;
  }

  /** What topics without settings of their own have. */
  get currentDefault(): LogConfig {
    return logConfigFromProps(this.brokerDefaults, {});
  }

  /** @param overrides by default the topic's own settings as they are now */
  fetch(topic: string, overrides = this.topicConfigs(topic)): LogConfig {
    if (this.last?.overrides !== overrides) {
      this.last = { overrides, config: logConfigFromProps(this.brokerDefaults, overrides) };
    }
    return this.last.config;
  }

  /** @throws InvalidConfigError, and changes nothing then */
  reconfigureDefaults(brokerDefaults: Settings): void {
    logConfigFromProps(brokerDefaults, {});
    this.brokerDefaults = brokerDefaults;
    this.last = undefined;
  }
}
