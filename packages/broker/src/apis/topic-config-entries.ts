import { topicConfigTexts, topicConfigType } from '@klassic/log';
import { printedConfig } from '../server/config-text.ts';
import type { KafkaConfig } from '../server/kafka-config.ts';
import { configSynonyms } from './config-synonyms.ts';
import type { ConfigSynonym, DynamicConfigs } from './config-synonyms.ts';
import { configSource, configType } from './config-codes.ts';
import type { ChangedSetting } from './incremental-configs.ts';

type Props = Readonly<Record<string, string>>;

/** A topic's setting as DescribeConfigs and CreateTopics tell it. */
export interface TopicConfigEntry {
  readonly name: string;
  readonly value: string;
  /** One of `configSource`. */
  readonly source: number;
  /** One of `configType`. */
  readonly type: number;
  /** Where the value could come from, the weightiest first. */
  readonly synonyms: readonly ConfigSynonym[];
}

const defaults = new Map(topicConfigTexts({}, {}).map(({ name, text }) => [name, text]));

/** What must be known of a topic's setting to change it; undefined for a name that no topic has. */
export function topicSetting(name: string): ChangedSetting | undefined {
  const text = defaults.get(name);
  return text === undefined ? undefined : { isList: topicConfigType(name) === 'list', default: text };
}

/**
 * All settings of a topic, in the order in which they are defined: its own, else the broker's (`ConfigHelper.createTopicConfigEntry`).
 *
 * @param overrides the topic's own settings
 */
export function topicConfigEntries(
  config: KafkaConfig,
  dynamicConfig: DynamicConfigs,
  overrides: Props,
): TopicConfigEntry[] {
  return topicConfigTexts(config.texts, overrides).map(({ name, text, type, origin, brokerName }) => {
    const value = printedConfig(type, text);
    const own = origin === 'topic' ? [{ name, value, source: configSource.topic }] : [];
    const synonyms = [...own, ...(brokerName === null ? [] : configSynonyms(brokerName, dynamicConfig))];
    return { name, value, source: synonyms[0]?.source ?? configSource.default, type: configType[type], synonyms };
  });
}
