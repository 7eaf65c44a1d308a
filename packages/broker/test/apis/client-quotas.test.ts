import { describe, expect, it } from '@jest/globals';
import type { NetworkRequest } from '@klassic/network';
import { KafkaError } from '@klassic/protocol';
import type { ApiName, RequestInit, ResponseInit } from '@klassic/protocol';
import { describeWithReference, readReferenceJson } from '@klassic/test-support';
import type { ApiHandler } from '../../src/apis/api-handler.ts';
import { quotaKeys, quotaText } from '../../src/apis/client-quota-keys.ts';
import { clientQuotasHandlers } from '../../src/apis/client-quotas.ts';
import { toApiError } from '../../src/apis/request-errors.ts';

type Props = Readonly<Record<string, string>>;
type Entity = Readonly<Record<string, string | null>>;
type Op = readonly [key: string, value: number | null];
type Component = readonly [entityType: string, matchType: number, match: string | null];

const [exact, byDefault, any] = [0, 1, 2];
const [produce, consume] = ['producer_byte_rate', 'consumer_byte_rate'];

/** Handlers over a ZooKeeper that is a map from paths below `/config`. */
function quotas() {
  const stored = new Map<string, Props>();
  const handlers = clientQuotasHandlers({
    store: {
      getEntityConfigs: (type, name) => Promise.resolve({ ...stored.get(`${type}/${name}`) }),
      getEntitiesConfigs: (type, names) =>
        Promise.resolve(new Map([...names].map((name) => [name, { ...stored.get(`${type}/${name}`) }]))),
      getAllEntitiesWithConfig: (type) => {
        const below = [...stored.keys()].filter((path) => path.startsWith(`${type}/`));
        return Promise.resolve([...new Set(below.map((path) => path.slice(type.length + 1).split('/')[0]!))]);
      },
    },
    adminZkClient: {
      changeEntityConfig: (type, name, props) => {
        stored.set(`${type}/${name}`, props);
        return Promise.resolve();
      },
    },
    isResolvable: (host) => Promise.resolve(!host.endsWith('.invalid')),
  });
  async function send<A extends ApiName>(api: A, body: RequestInit<A>): Promise<ResponseInit<A>> {
    const handler = handlers.find((each) => each.api === api) as unknown as ApiHandler<A>;
    const request = { api, header: { apiVersion: 1 }, body } as unknown as NetworkRequest<A>;
    try {
      return (await handler.handle(request))!;
    } catch (thrown) {
      if (!(thrown instanceof KafkaError)) throw thrown;
      const { error, message } = toApiError(thrown);
      return handler.failure(request, error, message);
    }
  }
  const alter = async (entity: Entity, ops: readonly Op[], validateOnly = false) => {
    const entry = {
      entity: Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
      ops: ops.map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
    };
    const { entries } = await send('AlterClientQuotas', { entries: [entry], validateOnly });
    return [entries![0]!.errorCode, entries![0]!.errorMessage];
  };
  const found = async (components: readonly Component[], strict: boolean) => {
    const { errorCode, errorMessage, entries } = await send('DescribeClientQuotas', {
      components: components.map(([entityType, matchType, match]) => ({ entityType, matchType, match })),
      strict,
    });
    if (errorCode !== 0) return [errorCode, errorMessage, entries];
    return entries!.map(({ entity }) => entity!.map(({ entityName }) => entityName ?? '<default>').join('+')).sort();
  };
  return { stored, alter, found, send };
}

describe('AlterClientQuotas', () => {
  it('writes where every broker looks, names made fit for paths', async () => {
    const { alter, stored } = quotas();
    await alter({ user: 'alice' }, [[produce, 1000]]);
    await alter({ user: 'alice', 'client-id': 'c/1' }, [['request_percentage', 12.5]]);
    await alter({ 'client-id': null, user: null }, [[consume, 300]]);
    await alter({ 'client-id': 'app' }, [['controller_mutation_rate', 2]]);
    await alter({ ip: null }, [['connection_creation_rate', 10]]);
    expect(Object.fromEntries(stored)).toEqual({
      'users/alice': { producer_byte_rate: '1000' },
      'users/alice/clients/c%2F1': { request_percentage: '12.5' },
      'users/<default>/clients/<default>': { consumer_byte_rate: '300' },
      'clients/app': { controller_mutation_rate: '2.0' },
      'ips/<default>': { connection_creation_rate: '10' },
    });
  });

  it('takes limits away, the last of several operations counting', async () => {
    const { alter, stored } = quotas();
    await alter({ user: 'a' }, [
      [produce, 1],
      [produce, 2],
      [consume, 3],
      [consume, null],
      ['no_such', null],
    ]);
    expect(stored.get('users/a')).toEqual({ producer_byte_rate: '2' });
    await alter({ user: 'a' }, [[produce, null]]);
    expect(stored.get('users/a')).toEqual({});
  });

  it('writes nothing when it is only to check', async () => {
    const { alter, stored } = quotas();
    expect(await alter({ user: 'a' }, [[produce, 1]], true)).toEqual([0, null]);
    expect(stored.size).toBe(0);
  });

  it('answers once for an entity that stands twice, and carries both out', async () => {
    const { send, stored } = quotas();
    const entity = [{ entityType: 'user', entityName: 'x' }];
    const { entries } = await send('AlterClientQuotas', {
      entries: [
        { entity, ops: [{ key: produce, value: 1, remove: false }] },
        { entity, ops: [{ key: consume, value: 1, remove: false }] },
      ],
      validateOnly: false,
    });
    expect(entries).toEqual([{ errorCode: 0, errorMessage: null, entity }]);
    expect(stored.get('users/x')).toEqual({ producer_byte_rate: '1', consumer_byte_rate: '1' });
  });

  // Each as Apache Kafka 2.8.2 answers it.
  it.each<[Entity, Op, number, string | null]>([
    [{}, [produce, 1], 42, 'Invalid empty client quota entity'],
    [{ user: '' }, [produce, 1], 42, 'Empty user not supported'],
    [{ foo: 'a' }, [produce, 1], 42, 'Unhandled client quota entity type: foo'],
    [
      { user: 'a', ip: '127.0.0.1' },
      [produce, 1],
      42,
      'Invalid quota entity combination, IP entity should not be used with user/client ID entity.',
    ],
    [
      { ip: 'no.such.host.invalid' },
      ['connection_creation_rate', 1],
      42,
      'no.such.host.invalid is not a valid IP or resolvable host.',
    ],
    [
      { ip: '127.0.0.1' },
      ['connection_creation_rate', 10.5],
      42,
      'Configuration connection_creation_rate must be a INT value',
    ],
    [{ ip: '127.0.0.1' }, [produce, 1], 42, 'Invalid configuration key producer_byte_rate'],
    [{ user: 'a' }, ['connection_creation_rate', 1], 42, 'Invalid configuration key connection_creation_rate'],
    [{ user: 'a' }, [produce, 10.5], 42, 'Configuration producer_byte_rate must be a LONG value'],
    [{ user: 'a' }, [produce, -1], 42, 'Configuration producer_byte_rate must be a LONG value'],
    [{ user: 'a' }, [produce, Infinity], 42, 'Configuration producer_byte_rate must be a LONG value'],
    [{ user: 'a' }, ['SCRAM-SHA-256', 1], -1, null],
  ])('refuses %j %j', async (entity, op, code, message) => {
    const { alter, stored } = quotas();
    expect(await alter(entity, [op])).toEqual([code, message]);
    expect(stored.size).toBe(0);
  });

  it('reads numbers as the original does', () => {
    expect(quotaText('users', produce, 10.0000001)).toBe('10');
    expect(quotaText('users', produce, 2 ** 63)).toBe('9223372036854775807');
    expect(quotaText('users', produce, NaN)).toBe('0');
    expect(quotaText('users', 'request_percentage', Infinity)).toBe('Infinity');
    expect(quotaText('clients', 'request_percentage', 1e7)).toBe('1.0E7');
  });
});

describe('DescribeClientQuotas', () => {
  async function filled() {
    const all = quotas();
    await all.alter({ user: 'alice' }, [[produce, 1]]);
    await all.alter({ user: null }, [[produce, 1]]);
    await all.alter({ user: 'alice', 'client-id': null }, [[produce, 1]]);
    await all.alter({ user: null, 'client-id': 'c' }, [[produce, 1]]);
    await all.alter({ 'client-id': 'c' }, [[produce, 1]]);
    await all.alter({ ip: '127.0.0.1' }, [['connection_creation_rate', 1]]);
    all.stored.set('users/scram', { 'SCRAM-SHA-256': 'salt=x' });
    return all;
  }

  it.each<[readonly Component[], boolean, string[]]>([
    [[], false, ['127.0.0.1', '<default>', '<default>+c', 'alice', 'alice+<default>', 'c']],
    [[], true, []],
    [[['user', exact, 'alice']], false, ['alice', 'alice+<default>']],
    [[['user', exact, 'alice']], true, ['alice']],
    [[['user', byDefault, null]], false, ['<default>', '<default>+c']],
    [[['user', any, null]], true, ['<default>', 'alice']],
    [[['client-id', any, null]], false, ['<default>+c', 'alice+<default>', 'c']],
    [[['client-id', any, null]], true, ['c']],
    [
      [
        ['client-id', any, null],
        ['user', byDefault, null],
      ],
      true,
      ['<default>+c'],
    ],
    [[['ip', any, null]], true, ['127.0.0.1']],
    [[['ip', exact, '9.9.9.9']], false, []],
  ])('finds by %j, strict %p', async (components, strict, expected) => {
    expect(await (await filled()).found(components, strict)).toEqual(expected);
  });

  it.each<[readonly Component[], number, string | null]>([
    [
      [
        ['ip', any, null],
        ['user', any, null],
      ],
      42,
      'Invalid entity filter component combination, IP filter component should not be used with user or clientId filter component.',
    ],
    [
      [
        ['client-id', any, null],
        ['client-id', any, null],
      ],
      42,
      'Duplicate client filter component entity type',
    ],
    [[['foo', any, null]], 35, "Custom entity type 'foo' not supported"],
    [[['', any, null]], 42, 'Unexpected empty filter component entity type'],
    [[['user', 5, null]], -1, null],
    [[['user', exact, null]], -1, null],
  ])('refuses %j', async (components, code, message) => {
    expect(await quotas().found(components, false)).toEqual([code, message, null]);
  });
});

describeWithReference(describe)('what can be limited', () => {
  it('is what the reference limits', () => {
    const reference = readReferenceJson('vectors', 'configs', 'quota-entities.json') as Record<
      string,
      { name: string; type: string }[]
    >;
    const told = Object.entries(reference).map(([type, keys]) => [
      type,
      Object.fromEntries(keys.map(({ name, type: kind }) => [name, kind])),
    ]);
    expect(quotaKeys).toEqual(Object.fromEntries(told));
  });
});
