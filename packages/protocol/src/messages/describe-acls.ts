import { array, int16, int32, int8, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** The ACLs that match a filter. From v1 on with pattern types (KIP-290). */
export const DescribeAclsRequest = request(
  { name: 'DescribeAclsRequest', apiKey: 29, versions: '0-2', flexible: '2+' },
  {
    resourceTypeFilter: int8('0+'),
    resourceNameFilter: string('0+', { nullable: '0+' }),
    patternTypeFilter: int8('1+', { default: 3 }),
    principalFilter: string('0+', { nullable: '0+' }),
    hostFilter: string('0+', { nullable: '0+' }),
    operation: int8('0+'),
    permissionType: int8('0+'),
  },
);
export type DescribeAclsRequest = MessageOf<typeof DescribeAclsRequest>;
export type DescribeAclsRequestInit = InitOf<typeof DescribeAclsRequest>;

/** The ACLs by resource. */
export const DescribeAclsResponse = response(
  { name: 'DescribeAclsResponse', apiKey: 29, versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    resources: array(
      '0+',
      struct('DescribeAclsResource', {
        resourceType: int8('0+'),
        resourceName: string('0+'),
        patternType: int8('1+', { default: 3 }),
        acls: array(
          '0+',
          struct('AclDescription', {
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
export type DescribeAclsResponse = MessageOf<typeof DescribeAclsResponse>;
export type DescribeAclsResponseInit = InitOf<typeof DescribeAclsResponse>;
