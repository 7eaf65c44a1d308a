import { memoryBytes } from '../../../packages/broker/bench/processor-time.ts';
import { beat, connectTo, coordinatorOf, LoadGroup } from './group-load.ts';
import type { Figure, Lap, Row } from './rows.ts';
import { median } from './standings.ts';

const MEMBERS = 10;
const LARGE_GROUP = 100;
/** One after the other; the median counts. */
const LARGE_GROUPS = 5;
/** `heartbeat.interval.ms` of a consumer. */
const HEARTBEAT_INTERVAL_MS = 3_000;
const HEARTBEATS = 100_000;
/** So many groups join at once. */
const JOINING_GROUPS = 100;
/** The longest that a row may take. */
const PATIENCE_MS = 300_000;
const MIB = 1024 * 1024;

const noMore = { atMost: 1 } as const;
const ms: Figure = { name: 'ms', digits: 0, goal: noMore };
const atOnce = { 'group.initial.rebalance.delay.ms': '0' };
/** Kafka's default. */
const patient = { 'group.initial.rebalance.delay.ms': '3000' };

/**
 * What groups cost a cluster of three: `groups` groups of ten members, each member with a connection of its own to its
 * coordinator, as a consumer has it.
 */
export function groupRows(groups: number): readonly Row[] {
  const fleet = new Map<Lap['cluster'], readonly LoadGroup[]>();
  return [
    largeGroup('join-0', atOnce, 'no initial delay'),
    largeGroup('join-3000', patient, 'an initial delay of 3 s'),
    {
      id: 'groups',
      title: `${groups} groups of ${MEMBERS} members join, ${JOINING_GROUPS} groups at once, an initial delay of 3 s`,
      brokers: 3,
      settings: patient,
      figures: [ms, { name: 'CPU s', digits: 1, goal: noMore }],
      measure: async ({ cluster }) => {
        const before = cluster.processorMs();
        const began = performance.now();
        const joined = await joinAll(cluster.brokers[0]!, groups);
        fleet.set(cluster, joined);
        return [performance.now() - began, (cluster.processorMs() - before) / 1000];
      },
    },
    {
      id: 'heartbeats',
      title: `their heartbeats, one a member every ${HEARTBEAT_INTERVAL_MS / 1000} s`,
      brokers: 3,
      settings: patient,
      figures: [
        { name: 'CPU s per 100,000', digits: 2, goal: noMore },
        { name: 'p99 ms', digits: 1, goal: undefined },
      ],
      measure: async ({ cluster, scaled }) => {
        const members = fleetOf(fleet, cluster).flatMap((group) => group.members);
        const rounds = Math.ceil(scaled(HEARTBEATS) / members.length);
        const before = cluster.processorMs();
        const { count, p99Ms } = await beat(members, rounds, HEARTBEAT_INTERVAL_MS, performance.now() + PATIENCE_MS);
        return [((cluster.processorMs() - before) / 1000 / count) * 100_000, p99Ms];
      },
    },
    {
      id: 'groups-memory',
      title: 'memory resident of the three brokers, all groups stable',
      brokers: 3,
      settings: patient,
      figures: [{ name: 'MiB', digits: 0, goal: noMore }],
      measure: ({ cluster }) => {
        const bytes = cluster.brokers.reduce((sum, { pid }) => sum + (memoryBytes(pid!) ?? NaN), 0);
        for (const group of fleetOf(fleet, cluster)) group.close();
        fleet.delete(cluster);
        return Promise.resolve([bytes / MIB]);
      },
    },
  ];
}

function largeGroup(id: string, settings: NonNullable<Row['settings']>, title: string): Row {
  return {
    id,
    title: `one group of ${LARGE_GROUP} members joins, ${title}: first JoinGroup to last assignment`,
    brokers: 3,
    settings,
    figures: [ms],
    measure: async ({ cluster }) => {
      const took: number[] = [];
      for (let time = 1; time <= LARGE_GROUPS; time += 1) {
        const deadline = performance.now() + PATIENCE_MS;
        const [group] = await connectGroups(cluster.brokers[0]!, [`${id}-${time}`], LARGE_GROUP, deadline);
        took.push(await group!.join());
        group!.close();
      }
      return [median(took)!];
    },
  };
}

/** Lets groups join until all are stable, a number of them at once. */
async function joinAll(broker: { readonly host: string; readonly port: number }, count: number): Promise<LoadGroup[]> {
  const deadline = performance.now() + PATIENCE_MS;
  const groupIds = Array.from({ length: count }, (_, index) => `race-${index}`);
  const joined: LoadGroup[] = [];
  while (joined.length < count) {
    const next = groupIds.slice(joined.length, joined.length + JOINING_GROUPS);
    const groups = await connectGroups(broker, next, MEMBERS, deadline);
    await Promise.all(groups.map((group) => group.join()));
    joined.push(...groups);
  }
  return joined;
}

async function connectGroups(
  broker: { readonly host: string; readonly port: number },
  groupIds: readonly string[],
  size: number,
  deadline: number,
): Promise<LoadGroup[]> {
  const anybody = await connectTo(broker, deadline);
  const groups: LoadGroup[] = [];
  for (const groupId of groupIds) {
    const coordinator = await coordinatorOf(anybody, groupId, deadline);
    groups.push(await LoadGroup.connect(coordinator, groupId, size, deadline));
  }
  anybody.close();
  return groups;
}

function fleetOf(
  fleet: ReadonlyMap<Lap['cluster'], readonly LoadGroup[]>,
  cluster: Lap['cluster'],
): readonly LoadGroup[] {
  const groups = fleet.get(cluster);
  if (groups === undefined) throw new Error('the groups have not joined');
  return groups;
}
