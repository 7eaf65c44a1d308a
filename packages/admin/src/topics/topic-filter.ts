import type { TopicInfo } from '@klassic/client';
import { UsageError } from '../tool.ts';

/**
 * The topics whose whole name matches a pattern: a regular expression in which a comma stands for "or"
 * (`kafka.utils.IncludeList`). Without one, all.
 *
 * @throws UsageError when the pattern is no regular expression
 */
export function matchingTopics(
  topics: readonly TopicInfo[],
  pattern: string | undefined,
  excludeInternal: boolean,
): TopicInfo[] {
  const matches = pattern === undefined ? () => true : topicMatcher(pattern);
  return topics.filter(({ name, isInternal }) => matches(name) && !(excludeInternal && isInternal));
}

/** @throws UsageError when the pattern is no regular expression */
export function topicMatcher(pattern: string): (name: string) => boolean {
  const source = pattern
    .trim()
    .replaceAll(',', '|')
    .replaceAll(' ', '')
    .replace(/^["']+/, '')
    .replace(/["']+$/, '');
  try {
    const expression = new RegExp(`^(?:${source})$`);
    return (name) => expression.test(name);
  } catch (error) {
    throw new UsageError(`${source} is an invalid regex.`, { cause: error });
  }
}
