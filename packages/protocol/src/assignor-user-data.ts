import { array, data, int32, string, struct } from './schema/index.ts';

const previousAssignment = array(
  '0+',
  struct('TopicAssignment', {
    topic: string('0+'),
    partitions: array('0+', 'int32'),
  }),
);

/** What a member under the sticky assignor carries over, as user data of its subscription, without a version in front. */
export const StickyAssignorUserData = data(
  { name: 'StickyAssignorUserData', versions: '0-1', flexible: 'none' },
  { previousAssignment, generation: int32('1+', { ignorable: true, default: -1 }) },
);

/** The same under the cooperative sticky assignor, where the partitions stand in the subscription itself. */
export const CooperativeStickyAssignorUserData = data(
  { name: 'CooperativeStickyAssignorUserData', versions: '0', flexible: 'none' },
  { generation: int32('0+') },
);
