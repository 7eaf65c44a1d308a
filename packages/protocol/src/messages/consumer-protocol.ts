import { array, bytes, data, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** What a consumer tells its group's leader when it joins: opaque bytes to the coordinator. Readers take versions above theirs for theirs. */
export const ConsumerProtocolSubscription = data(
  { name: 'ConsumerProtocolSubscription', versions: '0-1', flexible: 'none' },
  {
    topics: array('0+', 'string'),
    userData: bytes('0+', { nullable: '0+', default: null }),
    ownedPartitions: array(
      '1+',
      struct('TopicPartition', {
        topic: string('1+'),
        partitions: array('1+', 'int32'),
      }),
      { ignorable: true },
    ),
  },
);
export type ConsumerProtocolSubscription = MessageOf<typeof ConsumerProtocolSubscription>;
export type ConsumerProtocolSubscriptionInit = InitOf<typeof ConsumerProtocolSubscription>;

/** What a group's leader assigns to a consumer: opaque bytes to the coordinator. */
export const ConsumerProtocolAssignment = data(
  { name: 'ConsumerProtocolAssignment', versions: '0-1', flexible: 'none' },
  {
    assignedPartitions: array(
      '0+',
      struct('TopicPartition', {
        topic: string('0+'),
        partitions: array('0+', 'int32'),
      }),
    ),
    userData: bytes('0+', { nullable: '0+', default: null }),
  },
);
export type ConsumerProtocolAssignment = MessageOf<typeof ConsumerProtocolAssignment>;
export type ConsumerProtocolAssignmentInit = InitOf<typeof ConsumerProtocolAssignment>;
