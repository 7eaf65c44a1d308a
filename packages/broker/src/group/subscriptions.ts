import { ConsumerProtocolSubscription, decodeMessage, ProtocolError } from '@klassic/protocol';
import type { MemberMetadata } from './member-metadata.ts';

/** `protocol.type` of ordinary consumers. */
export const consumerProtocolType = 'consumer';

const versionBytes = 2;

/**
 * The topics that a consumer group's members subscribe to. Every version of the subscription begins as version 0 does,
 * so that is how it is read: the coordinator need not know later ones.
 *
 * @returns undefined when they cannot be known: another kind of group, no protocol chosen, or bytes of the members' own
 */
export function subscribedTopics(
  protocolType: string | null,
  protocolName: string | null,
  members: readonly MemberMetadata[],
): Set<string> | undefined {
  if (protocolType !== consumerProtocolType) return undefined;
  if (members.length === 0) return new Set();
  if (protocolName === null) return undefined;
  const topics = new Set<string>();
  for (const member of members) {
    try {
      const bytes = member.metadata(protocolName).subarray(versionBytes);
      for (const topic of decodeMessage(ConsumerProtocolSubscription, 0, bytes).topics) topics.add(topic);
    } catch (error) {
      if (error instanceof ProtocolError) return undefined;
      throw error;
    }
  }
  return topics;
}
