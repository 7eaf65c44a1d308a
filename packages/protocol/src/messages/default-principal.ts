import { bool, data, string } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** A principal inside an Envelope request. */
export const DefaultPrincipalData = data(
  { name: 'DefaultPrincipalData', versions: '0', flexible: '0+' },
  {
    type: string('0+'),
    name: string('0+'),
    tokenAuthenticated: bool('0+'),
  },
);
export type DefaultPrincipalData = MessageOf<typeof DefaultPrincipalData>;
export type DefaultPrincipalDataInit = InitOf<typeof DefaultPrincipalData>;
