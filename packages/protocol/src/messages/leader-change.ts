import { array, data, int32, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

const voter = struct('Voter', {
  voterId: int32('0+'),
});

/** Raft: the value of the control record a new leader writes. */
export const LeaderChangeMessage = data(
  { name: 'LeaderChangeMessage', versions: '0', flexible: '0+' },
  {
    leaderId: int32('0+'),
    voters: array('0+', voter),
    grantingVoters: array('0+', voter),
  },
);
export type LeaderChangeMessage = MessageOf<typeof LeaderChangeMessage>;
export type LeaderChangeMessageInit = InitOf<typeof LeaderChangeMessage>;
