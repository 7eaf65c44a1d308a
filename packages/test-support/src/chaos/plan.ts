import { nextInt, SeededRandom } from '@klassic/common';

/** What can happen to a broker, or to the cluster. */
export const faults = [
  /** kill -9, and a start some time later. */
  'kill',
  /** SIGTERM, and a start some time later. */
  'terminate',
  /** SIGSTOP, and SIGCONT some time later. */
  'pause',
  /** The other brokers' way to it: connections closed, and new ones at once. */
  'cut-from-brokers',
  /** The same, in silence: nothing is closed and nothing arrives. */
  'silence-from-brokers',
  /** Its way to ZooKeeper: connections closed, and new ones at once. */
  'cut-from-zookeeper',
  'silence-from-zookeeper',
  /** Preferred leaders are elected. */
  'elect-preferred',
  /** A partition moves to other brokers, or to the same in another order. */
  'reassign',
] as const;
export type Fault = (typeof faults)[number];

/** Whom it hits: resolved when it happens, so that a plan says the same whoever leads. */
export type Role = 'controller' | 'leader' | 'any';

export interface Step {
  /** When it begins, in milliseconds from the start; later when two brokers suffer already. */
  readonly atMs: number;
  readonly fault: Fault;
  readonly role: Role;
  /** Chooses among those of the role, and among partitions: a number in [0, 1). */
  readonly pick: number;
  /** How long it lasts, in milliseconds. */
  readonly forMs: number;
}

/** Out of which faults are drawn: those that end processes more often. */
const weighted: readonly Fault[] = [
  ...faults,
  'kill',
  'kill',
  'pause',
  'pause',
  'silence-from-zookeeper',
  'cut-from-brokers',
];
const roles: readonly Role[] = ['controller', 'leader', 'leader', 'any'];

/** At most this long until the next fault, in milliseconds: less than most last, so that they overlap. */
const longestGapMs = 6_000;
const shortestFaultMs = 500;

/**
 * What will happen, by chance and yet the same for the same seed.
 *
 * @param durationMs in which all faults begin
 * @param sessionTimeoutMs half of what lasts lasts longer than it, half shorter
 */
export function makePlan(seed: number, durationMs: number, sessionTimeoutMs: number): Step[] {
  const random = new SeededRandom(seed);
  const steps: Step[] = [];
  for (let atMs = 1_000; atMs < durationMs; atMs += 500 + nextInt(random, longestGapMs)) {
    steps.push({
      atMs,
      fault: weighted[nextInt(random, weighted.length)]!,
      role: roles[nextInt(random, roles.length)]!,
      pick: random.next(),
      forMs: shortestFaultMs + nextInt(random, 2 * sessionTimeoutMs),
    });
  }
  return steps;
}
