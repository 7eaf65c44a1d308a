import { inUnits, topicConfigDefinitions } from './log-config.ts';

/** A topic setting's type, as DescribeConfigs names it. */
export type TopicConfigType = 'boolean' | 'string' | 'int' | 'long' | 'double' | 'list';

/** A topic setting as text, with where it comes from. */
export interface TopicConfigText {
  readonly name: string;
  readonly text: string;
  readonly type: TopicConfigType;
  readonly origin: 'topic' | 'broker' | 'default';
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

/**
 * All settings of a topic as text, sorted by name.
 *
 * @param given broker settings that were given (not their defaults), by name
 * @param overrides the topic's own settings, by name
 * @throws InvalidConfigError when a broker setting in hours or minutes is no number
 */
export function topicConfigTexts(
  given: Readonly<Record<string, string>>,
  overrides: Readonly<Record<string, string>>,
): TopicConfigText[] {
  const texts = topicConfigDefinitions.map(({ name, defaultText, broker }): TopicConfigText => {
    const type = types[name] ?? 'long';
    const own = overrides[name];
    if (own !== undefined) return { name, text: own, type, origin: 'topic' };
    for (const [brokerName, unit] of broker) {
      const text = given[brokerName];
      if (text === undefined || text === '') continue;
      return { name, text: unit === 1 ? text : inUnits(brokerName, text, unit), type, origin: 'broker' };
    }
    return { name, text: defaultText, type, origin: 'default' };
  });
  return texts.sort((left, right) => (left.name < right.name ? -1 : 1));
}
