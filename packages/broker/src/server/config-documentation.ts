import { topicConfigTexts } from '@klassic/log';
import type { ConfigDefinition } from './config-definitions.ts';
import { definitionOf } from './dynamic-config-definitions.ts';

const modes: Record<ConfigDefinition['updateMode'], string> = {
  'read-only': 'A new value counts from the next start of the broker.',
  'per-broker': 'A running broker takes a new value, set for it alone.',
  'cluster-wide': 'Running brokers take a new value, set for all of them or for one.',
};

/**
 * What is known of a setting, in a sentence or two: its type, range and default, and when a new value counts.
 *
 * @returns null for a setting that nobody knows
 */
export function configDocumentation(kind: 'broker' | 'topic', name: string): string | null {
  return kind === 'broker' ? brokerDocumentation(name) : topicDocumentation(name);
}

function brokerDocumentation(name: string): string | null {
  const definition = definitionOf(name);
  if (definition === undefined) return null;
  const { type, atLeast, oneOf, default: text, updateMode } = definition;
  const range = atLeast === undefined ? '' : `, at least ${atLeast}`;
  const words = oneOf === undefined ? '' : `, of ${oneOf.join(', ')}`;
  return `A ${type}${range}${words}; ${defaultText(text)}. ${modes[updateMode]}`;
}

function topicDocumentation(name: string): string | null {
  const found = topicConfigTexts({}, {}).find((each) => each.name === name);
  if (found === undefined) return null;
  const { type, text, brokerName } = found;
  const fallback = brokerName === null ? '' : ` Where a topic has none of its own, the broker's ${brokerName} counts.`;
  return `A ${type}; ${defaultText(text)}.${fallback}`;
}

function defaultText(text: string | null): string {
  if (text === null) return 'no default';
  return text === '' ? 'empty by default' : `${text} by default`;
}
