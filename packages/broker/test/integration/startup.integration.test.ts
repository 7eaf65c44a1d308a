import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  describeWithReference,
  eventually,
  fourLetterWord,
  prepareBroker,
  readReferenceJson,
  startBroker,
  startZooKeeper,
} from '@klassic/test-support';
import type { TestBroker, TestZooKeeper } from '@klassic/test-support';
import { ZooKeeperTap } from '../scenarios/zookeeper-tap.ts';
import { connectTo, quick, ZNodes } from './cluster.ts';

jest.setTimeout(60_000);

/** Long enough for a controller that is stopped for a moment. */
const overrides = { ...quick, 'zookeeper.session.timeout.ms': '10000' };

/** A znode as `znodes-<label>.json` of the reference tells it. */
interface SeenZNode {
  readonly data: unknown;
  readonly version: number;
  readonly cversion: number;
  /** Owner of an ephemeral one: `broker-1#1` is the first session of broker 1. */
  readonly ephemeral?: string;
}

type Tree = Record<string, SeenZNode>;
type Watches = Record<string, { readonly data: readonly string[]; readonly child: readonly string[] }>;

let zooKeeper: TestZooKeeper;
let znodes: ZNodes;
const brokers: TestBroker[] = [];
/** By broker id. */
const taps = new Map<number, ZooKeeperTap>();

beforeAll(async () => {
  zooKeeper = await startZooKeeper();
  znodes = await ZNodes.open(zooKeeper.connectString);
});

afterAll(async () => {
  await Promise.all(brokers.map((broker) => broker.kill()));
  await Promise.all([...taps.values()].map((tap) => tap.close()));
  await znodes?.close();
  await zooKeeper?.stop();
});

/** The sessions of the brokers that are registered: session id → the reference's name for it. */
async function sessions(): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for (const id of await znodes.brokerIds()) {
    names.set((await znodes.read(`/brokers/ids/${id}`))!.stat.ephemeralOwner, `broker-${id}#1`);
  }
  return names;
}

/** The whole tree, with the reference's placeholders and ports in the place of what differs from run to run. */
async function tree(): Promise<Tree> {
  const owners = await sessions();
  const seen: Tree = {};
  const visit = async (path: string): Promise<void> => {
    if (path === '/zookeeper') return;
    const { text, stat } = (await znodes.read(path))!;
    const owner = owners.get(stat.ephemeralOwner);
    seen[path] = {
      data: withPlaceholders(text),
      version: stat.version,
      cversion: stat.cversion,
      ...(owner === undefined ? {} : { ephemeral: owner }),
    };
    for (const name of await znodes.children(path)) await visit(path === '/' ? `/${name}` : `${path}/${name}`);
  };
  await visit('/');
  return seen;
}

function withPlaceholders(text: string): unknown {
  if (!text.startsWith('{')) return text === '' ? null : text;
  let plain = text.replace(/"timestamp":"\d{13}"/, '"timestamp":"<timestamp>"');
  plain = plain.replace(/"id":"[\w-]{22}"/, '"id":"<cluster-id-1>"');
  for (const { id, port } of brokers) plain = plain.replaceAll(String(port), String(19090 + id));
  return JSON.parse(plain);
}

/** Where the reference has an empty string for a znode's data, or none at all: both are zero bytes. */
function withoutEmptyData(reference: Tree): Tree {
  return Object.fromEntries(
    Object.entries(reference).map(([path, node]) => [path, { ...node, data: node.data || null }]),
  );
}

/** What each broker's session watches: data by ZooKeeper's own account, children by what went over the wire. */
async function watches(): Promise<Watches> {
  const owners = await sessions();
  const seen = new Map<string, { data: string[]; child: string[] }>();
  for (const tap of taps.values()) seen.set(tap.watches!.who, { data: [], child: [...tap.watches!.watches.child] });
  let name: string | undefined;
  for (const line of (await fourLetterWord('127.0.0.1', zooKeeper.port, 'wchc')).split('\n')) {
    if (line.startsWith('0x')) name = owners.get(line.trim());
    else if (name !== undefined && line.trim() !== '') seen.get(name)?.data.push(line.trim());
  }
  for (const { data } of seen.values()) data.sort();
  return Object.fromEntries(seen);
}

async function startNext(id: number): Promise<void> {
  const tap = await ZooKeeperTap.start(id, zooKeeper.port);
  taps.set(id, tap);
  brokers.push(await startBroker({ zooKeeperConnect: tap.connectString, id, brokers: 3, overrides }));
}

const scenario = (file: string): unknown => readReferenceJson('cluster', '2.8.2', 'ibp-2.6', '01-cluster-start', file);

describeWithReference(describe)('Brokers that start one after another on an empty ZooKeeper, as in scenario 01', () => {
  it.each([1, 2, 3])('leave the same znodes and watches once broker %d is up', async (id) => {
    await startNext(id);
    const expected = scenario(`watches-broker-${id}-up.json`) as Watches;
    // The controller takes notice of a newcomer in its own time.
    await eventually(async () => isDeepStrictEqual(await watches(), expected), { timeoutMs: 5_000 }).catch(async () =>
      expect(await watches()).toEqual(expected),
    );
    // The other scenarios take the watches on data from the wire as well: ZooKeeper says the same.
    const byWire = [...taps.values()].map((tap) => [tap.watches!.who, tap.watches!.watches]);
    expect(Object.fromEntries(byWire)).toEqual(await watches());
    expect(await tree()).toEqual(withoutEmptyData(scenario(`znodes-broker-${id}-up.json`) as Tree));
  });

  it('write JSON with the same keys in the same order', async () => {
    const reference = scenario('znodes-after.json') as Tree;
    for (const path of ['/brokers/ids/1', '/controller', '/cluster/id', '/feature', '/latest_producer_id_block']) {
      const { text } = (await znodes.read(path))!;
      expect(text).toBe(JSON.stringify(JSON.parse(text)));
      expect([path, ...Object.keys(JSON.parse(text) as object)]).toEqual([
        path,
        ...Object.keys(reference[path]!.data as object),
      ]);
    }
  });
});

describe('A broker that has started', () => {
  beforeAll(async () => {
    for (const id of [1, 2, 3].filter((each) => brokers.every((broker) => broker.id !== each))) {
      await startNext(id);
    }
  });

  it('keeps its id and the cluster’s in meta.properties', async () => {
    const clusterId = (JSON.parse((await znodes.read('/cluster/id'))!.text) as { id: string }).id;
    expect(clusterId).toMatch(/^[\w-]{22}$/);
    for (const { id, dataFolder } of brokers) {
      const lines = readFileSync(join(dataFolder, 'meta.properties'), 'latin1').split('\n');
      expect(lines.filter((line) => !line.startsWith('#') && line !== '').sort()).toEqual(
        [`broker.id=${id}`, `cluster.id=${clusterId}`, 'version=0'].sort(),
      );
    }
  });

  it('knows nothing of the cluster until the controller tells it', async () => {
    const controller = brokers.find(({ id }) => id === 1)!;
    const newcomer = await prepareBroker({ zooKeeperConnect: zooKeeper.connectString, id: 4, brokers: 3, overrides });
    controller.pause();
    try {
      brokers.push(newcomer);
      await newcomer.start();
      const connection = await connectTo(newcomer);
      const ask = () => connection.send('Metadata', 9, { topics: null });
      expect(await ask()).toMatchObject({ brokers: [], controllerId: -1, topics: [] });
      controller.resume();
      const told = await eventually(
        async () => {
          const answer = await ask();
          return answer.brokers.length > 0 && answer;
        },
        { what: 'the first UpdateMetadata' },
      );
      expect(told.brokers.map(({ nodeId }) => nodeId).sort()).toEqual([1, 2, 3, 4]);
      expect(told.controllerId).toBe(1);
      connection.close();
    } finally {
      controller.resume();
    }
    expect(await znodes.controllerId()).toBe(1);
  });
});
