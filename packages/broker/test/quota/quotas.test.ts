import { describe, expect, it } from '@jest/globals';
import { MockTime } from '@klassic/common';
import { SampledRate } from '@klassic/network';
import type { NetworkRequest } from '@klassic/network';
import { describeWithReference, readReferenceJson, readReferenceLines } from '@klassic/test-support';
import {
  ClientQuotaManager,
  ControllerMutationQuotaManager,
  DEFAULT_ENTITY,
  loadQuotas,
  quotaConfigHandlers,
  QuotaManagers,
} from '../../src/quota/index.ts';
import type { QuotaEntity } from '../../src/quota/index.ts';
import { TokenBucket } from '../../src/quota/token-bucket.ts';

const start = 1_600_000_000_000;
const windows = { samples: 11, windowMs: 1000 };
const client = { user: 'ANONYMOUS', clientId: 'p1' };

describe('ClientQuotaManager', () => {
  // The figures are those of the reference's own formula: (rate - bound) / bound * window, the window 10 s at least.
  it('holds a client back for as long as its excess takes at the quota', () => {
    const quotas = new ClientQuotaManager(windows);
    quotas.updateQuota({ clientId: 'p1' }, 500);
    // 10 full windows of 400/s use 400 of 500.
    let nowMs = start;
    for (let second = 0; second < 10; second += 1) {
      expect(quotas.recordAndGetThrottleTimeMs(client, 400, nowMs)).toBe(0);
      nowMs += 1000;
    }
    // A burst of 2300: (4000 + 2300) / 10.5 s = 600/s; (600 - 500) / 500 * 10.5 s = 2.1 s.
    expect(quotas.recordAndGetThrottleTimeMs(client, 0, nowMs)).toBe(0);
    nowMs += 500;
    expect(quotas.recordAndGetThrottleTimeMs(client, 2300, nowMs)).toBe(2100);
    // Once the burst has aged off the rate is at the quota again.
    for (let second = 0; second < 11; second += 1) {
      quotas.recordAndGetThrottleTimeMs(client, 400, nowMs);
      nowMs += 1000;
    }
    expect(quotas.recordAndGetThrottleTimeMs(client, 0, nowMs)).toBe(0);
  });

  it('takes a first burst over all windows but one', () => {
    const quotas = new ClientQuotaManager(windows);
    quotas.updateQuota({ clientId: 'p1' }, 100);
    expect(quotas.recordAndGetThrottleTimeMs(client, 1000, start)).toBe(0);
    expect(quotas.recordAndGetThrottleTimeMs(client, 500, start)).toBe(5000);
  });

  it('counts nothing for whom no quota is set, and takes unsent bytes back', () => {
    const quotas = new ClientQuotaManager(windows);
    expect(quotas.isEnabled).toBe(false);
    expect(quotas.recordAndGetThrottleTimeMs(client, 1e12, start)).toBe(0);
    expect(quotas.maxValueInQuotaWindow(client)).toBe(Infinity);
    quotas.updateQuota({ clientId: 'other' }, 1);
    expect(quotas.recordAndGetThrottleTimeMs(client, 1e12, start)).toBe(0);
    expect([...quotas.measured]).toHaveLength(0);
    quotas.updateQuota({ clientId: 'p1' }, 100);
    expect(quotas.maxValueInQuotaWindow(client)).toBe(1000);
    expect(quotas.recordAndGetThrottleTimeMs(client, 1100, start)).toBe(1000);
    quotas.unrecord(client, 1100, start);
    expect(quotas.recordAndGetThrottleTimeMs(client, 1, start)).toBe(0);
    quotas.updateQuota({ clientId: 'p1' }, undefined);
    expect(quotas.recordAndGetThrottleTimeMs(client, 1e12, start)).toBe(0);
  });

  it('never tells more than the longest throttle time', () => {
    const quotas = new ClientQuotaManager(windows, 1000);
    quotas.updateQuota({ clientId: 'p1' }, 1);
    expect(quotas.recordAndGetThrottleTimeMs(client, 1e9, start)).toBe(1000);
  });

  it('forgets whoever has not come for an hour', () => {
    const quotas = new ClientQuotaManager(windows);
    quotas.updateQuota({ clientId: DEFAULT_ENTITY }, 100);
    for (let index = 0; index < 50; index += 1) {
      quotas.recordAndGetThrottleTimeMs({ user: 'u', clientId: `c${index}` }, 1, start);
    }
    quotas.recordAndGetThrottleTimeMs({ user: 'u', clientId: 'late' }, 1, start + 3_600_001);
    expect([...quotas.measured].map(({ clientId }) => clientId)).toEqual(['late']);
  });

  const D = DEFAULT_ENTITY;
  /** In the order of the reference's documentation, the most specific first. */
  const levels: readonly QuotaEntity[] = [
    { user: 'u', clientId: 'c' },
    { user: 'u', clientId: D },
    { user: 'u' },
    { user: D, clientId: 'c' },
    { user: D, clientId: D },
    { user: D },
    { clientId: 'c' },
    { clientId: D },
  ];

  it.each(levels.map((_, first) => first))('lets level %d count when those before it are not set', (first) => {
    const quotas = new ClientQuotaManager(windows);
    levels.forEach((entity, level) => level >= first && quotas.updateQuota(entity, level + 1));
    // 10 s of the quota of this level, and of no other.
    expect(quotas.maxValueInQuotaWindow({ user: 'u', clientId: 'c' })).toBe((first + 1) * 10);
  });

  it.each([
    ['a user', { user: 'u' }, { user: 'u', clientId: 'x' }, { user: 'u', clientId: 'y' }, true],
    ['users by default', { user: D }, { user: 'u', clientId: 'x' }, { user: 'u', clientId: 'y' }, true],
    ['users by default', { user: D }, { user: 'u', clientId: 'x' }, { user: 'v', clientId: 'x' }, false],
    ['a client id', { clientId: 'x' }, { user: 'u', clientId: 'x' }, { user: 'v', clientId: 'x' }, true],
    ['client ids by default', { clientId: D }, { user: 'u', clientId: 'x' }, { user: 'u', clientId: 'y' }, false],
    [
      'client ids of a user by default',
      { user: 'u', clientId: D },
      { user: 'u', clientId: 'x' },
      { user: 'u', clientId: 'y' },
      false,
    ],
  ])('counts together who shares the quota of %s', (_, entity, one, other, together) => {
    const quotas = new ClientQuotaManager(windows);
    quotas.updateQuota(entity, 100);
    expect(quotas.recordAndGetThrottleTimeMs(one, 1000, start)).toBe(0);
    expect(quotas.recordAndGetThrottleTimeMs(other, 1000, start) > 0).toBe(together);
  });
});

describe('SampledRate', () => {
  it('forgets what is older than all windows', () => {
    const rate = new SampledRate(windows);
    rate.record(1000, start);
    expect(rate.measure(start)).toBe(100);
    expect(rate.measure(start + 5000)).toBe(100);
    expect(rate.measure(start + 10_500)).toBeCloseTo(1000 / 10.5);
    expect(rate.measure(start + 11_000)).toBe(0);
  });

  it('writes over its oldest window', () => {
    const rate = new SampledRate({ samples: 2, windowMs: 1000 });
    for (const [second, value] of [10, 20, 40].entries()) rate.record(value, start + second * 1000);
    // 20 and 40 are left, since one second ago.
    expect(rate.measure(start + 2000)).toBe(60);
  });
});

describe('TokenBucket', () => {
  it('fills up to a burst of all windows, and may be overdrawn', () => {
    const bucket = new TokenBucket({ samples: 10, windowMs: 1000 });
    expect(bucket.measure(5, start)).toBe(50);
    bucket.record(60, 5, start);
    expect(bucket.measure(5, start)).toBe(-10);
    expect(bucket.throttleTimeMs(5, start)).toBe(2000);
    expect(bucket.measure(5, start + 2000)).toBe(0);
    expect(bucket.throttleTimeMs(5, start + 2000)).toBe(0);
    expect(bucket.measure(5, start + 60_000)).toBe(50);
  });
});

describe('ControllerMutationQuotaManager', () => {
  function manager(): ControllerMutationQuotaManager {
    const quotas = new ControllerMutationQuotaManager({ samples: 10, windowMs: 1000 });
    quotas.updateQuota({ clientId: 'p1' }, 1);
    return quotas;
  }

  it('lets a strict request overdraw once, and refuses the next until nothing is owed', () => {
    const quotas = manager();
    const first = quotas.newQuotaFor(client, true, start);
    expect(first.record(15, start)).toBe(true);
    expect(first.throttleTimeMs(start)).toBe(0);
    expect(first.record(1, start)).toBe(false);
    expect(first.throttleTimeMs(start)).toBe(5000);
    expect(first.throttleTimeMs(start + 4000)).toBe(1000);
    expect(quotas.newQuotaFor(client, true, start + 4999).record(1, start + 4999)).toBe(false);
    expect(quotas.newQuotaFor(client, true, start + 5001).record(1, start + 5001)).toBe(true);
  });

  it('refuses a permissive request nothing, but holds it back', () => {
    const quotas = manager();
    const quota = quotas.newQuotaFor(client, false, start);
    expect(quota.record(15, start)).toBe(true);
    expect(quota.throttleTimeMs(start)).toBe(5000);
    expect(quota.record(15, start)).toBe(true);
    expect(quota.throttleTimeMs(start)).toBe(20_000);
  });

  it('knows no bounds without a quota', () => {
    const quota = manager().newQuotaFor({ user: 'u', clientId: 'other' }, true, start);
    expect(quota.record(1e6, start)).toBe(true);
    expect(quota.throttleTimeMs(start)).toBe(0);
  });
});

const noDefaults = {
  windowNum: 11,
  windowSizeSeconds: 1,
  controllerWindowNum: 11,
  controllerWindowSizeSeconds: 1,
  producerDefault: Infinity,
  consumerDefault: Infinity,
};

describe('QuotaManagers', () => {
  it('has the quotas of ZooKeeper at its start, and follows their changes', async () => {
    const quotas = new QuotaManagers(noDefaults, new MockTime());
    const rates: unknown[] = [];
    const handlers = quotaConfigHandlers(quotas, { updateIpConnectionRate: (...told) => rates.push(told) });
    const tree: Record<string, Record<string, Record<string, string>>> = {
      clients: { p1: { producer_byte_rate: '100' }, '<default>': { consumer_byte_rate: '7' } },
      users: { 'a%40b': { producer_byte_rate: '20' } },
      'users/a%40b/clients': { 'my%20app': { producer_byte_rate: '3' } },
      ips: { '127.0.0.1': { connection_creation_rate: '5' }, '<default>': { connection_creation_rate: '9' } },
    };
    await loadQuotas(
      {
        getAllEntitiesWithConfig: (type) => Promise.resolve(Object.keys(tree[type] ?? {})),
        getEntityConfigs: (type, name) => {
          const [user, clients, clientId] = name.split('/');
          const found = clients === undefined ? tree[type]?.[name] : tree[`users/${user}/clients`]?.[clientId!];
          return Promise.resolve(found ?? {});
        },
      },
      handlers,
    );
    const most = (user: string, clientId: string): number => quotas.produce.maxValueInQuotaWindow({ user, clientId });
    expect(most('x', 'p1')).toBe(1000);
    expect(most('a@b', 'p1')).toBe(200);
    expect(most('a@b', 'my app')).toBe(30);
    expect(quotas.fetch.maxValueInQuotaWindow({ user: 'x', clientId: 'any' })).toBe(70);
    expect(rates).toEqual([
      ['127.0.0.1', 5],
      [null, 9],
    ]);
    handlers.users.processConfigChanges('a%40b/clients/my%20app', {});
    expect(most('a@b', 'my app')).toBe(200);
    handlers.clients.processConfigChanges('p1', { producer_byte_rate: '50' });
    expect(most('x', 'p1')).toBe(500);
    handlers.ips.processConfigChanges('127.0.0.1', {});
    expect(rates.at(-1)).toEqual(['127.0.0.1', undefined]);
  });

  it('has the deprecated defaults of the broker until ZooKeeper has some', () => {
    const quotas = new QuotaManagers({ ...noDefaults, producerDefault: 10 }, new MockTime());
    expect(quotas.produce.maxValueInQuotaWindow(client)).toBe(100);
    quotas.updateQuotas({ clientId: DEFAULT_ENTITY }, { producer_byte_rate: '20' });
    expect(quotas.produce.maxValueInQuotaWindow(client)).toBe(200);
    quotas.updateQuotas({ clientId: DEFAULT_ENTITY }, {});
    expect(quotas.produce.maxValueInQuotaWindow(client)).toBe(100);
    expect(quotas.fetch.isEnabled).toBe(false);
  });

  it('counts handler time in percent, and holds back for a window at most', () => {
    const quotas = new QuotaManagers(noDefaults, new MockTime());
    const request = {
      context: { principal: 'User:ANONYMOUS' },
      header: { clientId: 'p1' },
      localTimeMs: () => 500,
    } as unknown as NetworkRequest;
    expect(quotas.recordRequestTime(request)).toBe(0);
    quotas.updateQuotas({ user: 'ANONYMOUS' }, { request_percentage: '4' });
    // 500 ms are 50 % of a second; over 10 s that is 5 %: a quarter above the quota, of 10 s.
    expect(quotas.recordRequestTime(request)).toBe(1000);
  });
});

describeWithReference(describe)('the quotas of scenario 17', () => {
  type Znodes = Record<string, { data: { config?: Record<string, string> } | null }>;
  const scenario = ['cluster', '2.8.2', 'ibp-2.6', '17-acls-scram-quotas'] as const;
  const anonymous = { user: 'ANONYMOUS', clientId: 'slow' };

  /** The quotas that the recorded brokers had in `/config`, but for those of `without`. */
  async function recorded(without: readonly string[] = []): Promise<QuotaManagers> {
    const znodes = readReferenceJson(...scenario, 'znodes-after.json') as Znodes;
    const configOf = (path: string): Record<string, string> | undefined =>
      without.includes(path) ? undefined : znodes[path]?.data?.config;
    const quotas = new QuotaManagers(noDefaults, new MockTime());
    const children = (path: string): string[] =>
      Object.keys(znodes)
        .filter((each) => each.startsWith(`${path}/`) && !each.slice(path.length + 1).includes('/'))
        .map((each) => each.slice(path.length + 1));
    await loadQuotas(
      {
        getAllEntitiesWithConfig: (type) => Promise.resolve(children(`/config/${type}`)),
        getEntityConfigs: (type, name) => Promise.resolve(configOf(`/config/${type}/${name}`) ?? {}),
      },
      quotaConfigHandlers(quotas, { updateIpConnectionRate: () => undefined }),
    );
    return quotas;
  }

  interface RecordedProduce {
    readonly t: number;
    readonly api: string;
    readonly clientId: string;
    readonly request: { topicData: { partitionData: { recordsSizeInBytes: number }[] }[] };
    readonly response: { throttleTimeMs: number };
  }

  /** When the client called `slow` produced, ms, how many bytes of records, and for how long it was told to wait. */
  function produced(): { atMs: number; bytes: number; throttleTimeMs: number }[] {
    return readReferenceLines(...scenario, 'client-rpcs.jsonl')
      .map((line) => JSON.parse(line) as RecordedProduce)
      .filter(({ api, clientId }) => api === 'PRODUCE' && clientId === 'slow')
      .map(({ t: atMs, request, response: { throttleTimeMs } }) => {
        const data = request.topicData.flatMap(({ partitionData }) => partitionData);
        const bytes = data.reduce((sum, { recordsSizeInBytes }) => sum + recordsSizeInBytes, 0);
        return { atMs, bytes, throttleTimeMs };
      });
  }

  it('hold the producer back for as long as they did: not at all, for that of all users counts before its own', async () => {
    const quotas = await recorded();
    const requests = produced();
    expect(requests).toHaveLength(40);
    const told = requests.map(({ atMs, bytes }) => quotas.produce.recordAndGetThrottleTimeMs(anonymous, bytes, atMs));
    expect(told).toEqual(requests.map(({ throttleTimeMs }) => throttleTimeMs));
  });

  it('would have held it back by its own quota of 2,000 bytes a second', async () => {
    const quotas = await recorded(['/config/users/<default>/clients/<default>']);
    let sum = 0;
    for (const { atMs, bytes } of produced()) {
      sum += bytes;
      // Until eleven windows have begun a rate is that of ten whole ones and the part of this one.
      const elapsedMs = 10_000 + atMs - produced()[0]!.atMs;
      const told = quotas.produce.recordAndGetThrottleTimeMs(anonymous, bytes, atMs);
      expect(Math.abs(told - Math.max(0, (sum / 2000) * 1000 - elapsedMs))).toBeLessThanOrEqual(1);
    }
    expect(sum).toBeGreaterThan(2000 * 11);
  });

  it('count for the entities they were set for, names unescaped', async () => {
    const { produce, fetch, request } = await recorded();
    const most = (user: string, clientId: string): number => produce.maxValueInQuotaWindow({ user, clientId });
    expect(most('alice', 'app-2')).toBe(10_240);
    expect(most('bob', 'any')).toBe(40_960);
    expect(fetch.maxValueInQuotaWindow({ user: 'alice', clientId: 'any' })).toBe(20_971_520);
    expect(request.maxValueInQuotaWindow({ user: 'bob', clientId: 'app 1' })).toBe(2000);
  });
});
