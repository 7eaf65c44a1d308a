import { inUnits, topicConfigDefinitions } from './log-config.ts';

/** A topic setting's type, as DescribeConfigs names it. */
export type TopicConfigType = 'boolean' | 'string' | 'int' | 'long' | 'double' | 'list';

/** A topic setting as text, with where it comes from. */
export interface TopicConfigText {
  readonly name: string;
  readonly text: string;
  readonly type: TopicConfigType;
  readonly origin: 'topic' | 'broker' | 'default';
  /** The broker setting that stands in for it (`LogConfig.TopicConfigSynonyms`); null where there is none. */
  readonly brokerName: string | null;
}

/** The settings that are no int64. */
const types: Readonly<Record<string, TopicConfigType>> = {
  'cleanup.policy': 'list',
  'compression.type': 'string',
  'follower.replication.throttled.replicas': 'list',
  'index.interval.bytes': 'int',
  'leader.replication.throttled.replicas': 'list',
  'max.message.bytes': 'int',
  'message.downconversion.enable': 'boolean',
  'message.format.version': 'string',
  'message.timestamp.type': 'string',
  'min.cleanable.dirty.ratio': 'double',
  'min.insync.replicas': 'int',
  preallocate: 'boolean',
  'segment.bytes': 'int',
  'segment.index.bytes': 'int',
  'unclean.leader.election.enable': 'boolean',
};

/** Whether a topic setting is a list, to which items can be added (KIP-339). */
export function isListConfig(name: string): boolean {
  return types[name] === 'list';
}

/** Types by name, for how a value is printed. */
export function topicConfigType(name: string): TopicConfigType {
  return types[name] ?? 'long';
}

/**
 * All settings of a topic as text, in the order in which they are defined.
 *
 * @param given broker settings by name; those that are absent have Kafka's defaults
 * @param overrides the topic's own settings, by name
 * @throws InvalidConfigError when a broker setting in hours or minutes is no number
 */
export function topicConfigTexts(
  given: Readonly<Record<string, string>>,
  overrides: Readonly<Record<string, string>>,
): TopicConfigText[] {
  return topicConfigDefinitions.map(({ name, defaultText, broker }): TopicConfigText => {
    const common = { name, type: topicConfigType(name), brokerName: broker[0]?.[0] ?? null };
    const own = overrides[name];
    if (own !== undefined) return { ...common, text: own, origin: 'topic' };
    for (const [brokerName, unit] of broker) {
      const text = given[brokerName];
      if (text === undefined || text === '') continue;
      return { ...common, text: unit === 1 ? text : inUnits(brokerName, text, unit), origin: 'broker' };
    }
    return { ...common, text: defaultText, origin: 'default' };
  });
}
