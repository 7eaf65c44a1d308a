import { array, bool, float64, int16, int32, int8, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** The client quotas that match a filter (KIP-546). */
export const DescribeClientQuotasRequest = request(
  { name: 'DescribeClientQuotasRequest', apiKey: 48, versions: '0-1', flexible: '1+' },
  {
    components: array(
      '0+',
      struct('ComponentData', {
        entityType: string('0+'),
        matchType: int8('0+'),
        match: string('0+', { nullable: '0+' }),
      }),
    ),
    strict: bool('0+'),
  },
);
export type DescribeClientQuotasRequest = MessageOf<typeof DescribeClientQuotasRequest>;
export type DescribeClientQuotasRequestInit = InitOf<typeof DescribeClientQuotasRequest>;

/** Quotas by entity. Null entries where there is an error. */
export const DescribeClientQuotasResponse = response(
  { name: 'DescribeClientQuotasResponse', apiKey: 48, versions: '0-1', flexible: '1+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
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
        values: array(
          '0+',
          struct('ValueData', {
            key: string('0+'),
            value: float64('0+'),
          }),
        ),
      }),
      { nullable: '0+' },
    ),
  },
);
export type DescribeClientQuotasResponse = MessageOf<typeof DescribeClientQuotasResponse>;
export type DescribeClientQuotasResponseInit = InitOf<typeof DescribeClientQuotasResponse>;
