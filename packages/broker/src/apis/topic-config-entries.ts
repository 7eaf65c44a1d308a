import { topicConfigTexts } from '@klassic/log';

/** Where a value comes from: the codes of `DescribeConfigsResponse.ConfigSource`. */
export const configSource = { topic: 1, staticBroker: 4, default: 5 } as const;

/** The codes of `DescribeConfigsResponse.ConfigType`. */
export const configType = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
} as const;

/** A topic's setting as DescribeConfigs and CreateTopics tell it. */
export interface TopicConfigEntry {
  readonly name: string;
  readonly value: string;
  /** One of `configSource`. */
  readonly source: number;
  /** One of `configType`. */
  readonly type: number;
}

/**
 * All settings of a topic: its own, else what the broker was given, else Kafka's default.
 *
 * @param given broker settings that were given, by name
 */
export function topicConfigEntries(
  given: Readonly<Record<string, string>>,
  overrides: Readonly<Record<string, string>>,
): TopicConfigEntry[] {
  return topicConfigTexts(given, overrides).map(({ name, text, origin, type }) => ({
    name,
    value: text,
    source:
      origin === 'topic' ? configSource.topic : origin === 'broker' ? configSource.staticBroker : configSource.default,
    type: configType[type],
  }));
}
