import { array, bool, float64, int16, int32, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Sets or removes client quotas. */
export const AlterClientQuotasRequest = request(
  { name: 'AlterClientQuotasRequest', apiKey: 49, versions: '0-1', flexible: '1+' },
  {
    entries: array(
      '0+',
      struct('EntryData', {
        entity: array(
          '0+',
          struct('EntityData', {
            entityType: string('0+'),
            entityName: string('0+', { nullable: '0+' }),
          }),
        ),
        ops: array(
          '0+',
          struct('OpData', {
            key: string('0+'),
            value: float64('0+'),
            remove: bool('0+'),
          }),
        ),
      }),
    ),
    validateOnly: bool('0+'),
  },
);
export type AlterClientQuotasRequest = MessageOf<typeof AlterClientQuotasRequest>;
export type AlterClientQuotasRequestInit = InitOf<typeof AlterClientQuotasRequest>;

/** What became of each entity. */
export const AlterClientQuotasResponse = response(
  { name: 'AlterClientQuotasResponse', apiKey: 49, versions: '0-1', flexible: '1+' },
  {
    throttleTimeMs: int32('0+'),
    entries: array(
      '0+',
      struct('EntryData', {
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
        entity: array(
          '0+',
          struct('EntityData', {
            entityType: string('0+'),
            entityName: string('0+', { nullable: '0+' }),
          }),
        ),
      }),
    ),
  },
);
export type AlterClientQuotasResponse = MessageOf<typeof AlterClientQuotasResponse>;
export type AlterClientQuotasResponseInit = InitOf<typeof AlterClientQuotasResponse>;
