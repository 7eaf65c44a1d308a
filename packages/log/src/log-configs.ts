import { logConfigFromProps } from './log-config.ts';
import type { LogConfig } from './log-config.ts';

type Settings = Readonly<Record<string, string>>;

/** The settings of topics' logs: a topic's own, with the broker's in their stead. */
export class LogConfigs {
  private readonly topicConfigs: (topic: string) => Settings;
  private brokerDefaults: Settings;

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
    return logConfigFromProps(this.brokerDefaults, overrides);
  }

  /** @throws InvalidConfigError, and changes nothing then */
  reconfigureDefaults(brokerDefaults: Settings): void {
    logConfigFromProps(brokerDefaults, {});
    this.brokerDefaults = brokerDefaults;
  }
}
