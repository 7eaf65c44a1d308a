import { array, int16, int32, int8, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Adds ACLs. */
export const CreateAclsRequest = request(
  { name: 'CreateAclsRequest', apiKey: 30, versions: '0-2', flexible: '2+' },
  {
    creations: array(
      '0+',
      struct('AclCreation', {
        resourceType: int8('0+'),
        resourceName: string('0+'),
        resourcePatternType: int8('1+', { default: 3 }),
        principal: string('0+'),
        host: string('0+'),
        operation: int8('0+'),
        permissionType: int8('0+'),
      }),
    ),
  },
);
export type CreateAclsRequest = MessageOf<typeof CreateAclsRequest>;
export type CreateAclsRequestInit = InitOf<typeof CreateAclsRequest>;

/** What became of each ACL, in the request's order. */
export const CreateAclsResponse = response(
  { name: 'CreateAclsResponse', apiKey: 30, versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    results: array(
      '0+',
      struct('AclCreationResult', {
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
      }),
    ),
  },
);
export type CreateAclsResponse = MessageOf<typeof CreateAclsResponse>;
export type CreateAclsResponseInit = InitOf<typeof CreateAclsResponse>;
