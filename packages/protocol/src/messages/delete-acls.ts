import { array, int16, int32, int8, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Removes the ACLs that match filters. */
export const DeleteAclsRequest = request(
  { name: 'DeleteAclsRequest', apiKey: 31, versions: '0-2', flexible: '2+' },
  {
    filters: array(
      '0+',
      struct('DeleteAclsFilter', {
        resourceTypeFilter: int8('0+'),
        resourceNameFilter: string('0+', { nullable: '0+' }),
        patternTypeFilter: int8('1+', { default: 3 }),
        principalFilter: string('0+', { nullable: '0+' }),
        hostFilter: string('0+', { nullable: '0+' }),
        operation: int8('0+'),
        permissionType: int8('0+'),
      }),
    ),
  },
);
export type DeleteAclsRequest = MessageOf<typeof DeleteAclsRequest>;
export type DeleteAclsRequestInit = InitOf<typeof DeleteAclsRequest>;

/** The ACLs removed, by filter. */
export const DeleteAclsResponse = response(
  { name: 'DeleteAclsResponse', apiKey: 31, versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    filterResults: array(
      '0+',
      struct('DeleteAclsFilterResult', {
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
        matchingAcls: array(
          '0+',
          struct('DeleteAclsMatchingAcl', {
            errorCode: int16('0+'),
            errorMessage: string('0+', { nullable: '0+' }),
            resourceType: int8('0+'),
            resourceName: string('0+'),
            patternType: int8('1+', { default: 3 }),
            principal: string('0+'),
            host: string('0+'),
            operation: int8('0+'),
            permissionType: int8('0+'),
          }),
        ),
      }),
    ),
  },
);
export type DeleteAclsResponse = MessageOf<typeof DeleteAclsResponse>;
export type DeleteAclsResponseInit = InitOf<typeof DeleteAclsResponse>;
