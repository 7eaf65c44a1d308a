import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from '@klassic/common';
import { KafkaError } from '@klassic/protocol';
import { describeWithReference, readReferenceLines } from '@klassic/test-support';
import type { ReplicaAssignment } from '@klassic/zookeeper';
import type { BrokerMetadata, ElectionResult } from '../src/index.ts';
import {
  assignReplicasToBrokers,
  controlledShutdownPartitionLeaderElection,
  leaderForControlledShutdown,
  leaderForOffline,
  leaderForPreferredReplica,
  leaderForReassign,
  offlinePartitionLeaderElection,
  originReplicas,
  preferredReplicaPartitionLeaderElection,
  rackAlternatedBrokers,
  reassignPartitionLeaderElection,
  reassignTo,
  targetReplicas,
} from '../src/index.ts';

function vectors<T>(name: string): T[] {
  return readReferenceLines('vectors', 'algorithms', `${name}.jsonl`).map((line) => JSON.parse(line) as T);
}

interface PlacementVector {
  readonly brokers: BrokerMetadata[];
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly fixedStartIndex: number;
  readonly startPartitionId: number;
  readonly rackAlternated?: number[];
  readonly assignment?: Record<string, number[]>;
  readonly error?: { message: string };
}

interface LeaderVector {
  readonly strategy: string;
  readonly assignment?: number[];
  readonly targetReplicas?: number[];
  readonly isr: number[];
  readonly liveReplicas: number[];
  readonly uncleanLeaderElectionEnabled?: boolean;
  readonly shuttingDownBrokers?: number[];
  readonly leader: number | null;
}

interface ElectionVector {
  readonly strategy: string;
  readonly assignment: ReplicaAssignment;
  readonly liveBrokers: number[];
  readonly shuttingDownBrokers: number[];
  readonly before: { leader: number; leaderEpoch: number; isr: number[]; zkVersion: number };
  readonly uncleanLeaderElectionEnabled?: boolean;
  readonly after: unknown;
  readonly requestsGoTo: number[];
}

interface ReassignmentVector {
  readonly from: ReplicaAssignment;
  readonly target: number[];
  readonly result: ReplicaAssignment & { originReplicas: number[]; targetReplicas: number[] };
}

describeWithReference(describe)('decisions, as the reference makes them', () => {
  it('places replicas with and without racks', () => {
    const random = new SeededRandom(1);
    for (const vector of vectors<PlacementVector>('replica-placement')) {
      const { brokers, partitions, replicationFactor, fixedStartIndex, startPartitionId } = vector;
      // A negative start stands for chance.
      const fixed = fixedStartIndex < 0 ? {} : { fixedStartIndex };
      const place = (): Map<number, number[]> =>
        assignReplicasToBrokers(brokers, partitions, replicationFactor, { ...fixed, startPartitionId, random });
      if (vector.error !== undefined) {
        expect(place).toThrow(KafkaError);
        expect(place).toThrow(vector.error.message);
        continue;
      }
      expect(Object.fromEntries(place())).toEqual(vector.assignment);
      if (vector.rackAlternated !== undefined) {
        const racks = new Map(brokers.map(({ id, rack }) => [id, rack!]));
        expect(rackAlternatedBrokers(racks)).toEqual(vector.rackAlternated);
      }
    }
  });

  it('chooses leaders by the four strategies', () => {
    for (const vector of vectors<LeaderVector>('leader-election')) {
      const { strategy, isr } = vector;
      const live = new Set(vector.liveReplicas);
      const assignment = vector.assignment ?? vector.targetReplicas ?? [];
      const leaders: Record<string, () => number | undefined> = {
        offline: () =>
          offlinePartitionLeaderElection(assignment, isr, live, vector.uncleanLeaderElectionEnabled === true),
        reassign: () => reassignPartitionLeaderElection(assignment, isr, live),
        preferred: () => preferredReplicaPartitionLeaderElection(assignment, isr, live),
        controlledShutdown: () =>
          controlledShutdownPartitionLeaderElection(assignment, isr, live, new Set(vector.shuttingDownBrokers)),
      };
      expect({ vector, leader: leaders[strategy]!() ?? null }).toEqual({ vector, leader: vector.leader });
    }
  });

  it('gives the new ISR and epoch, and who is told', () => {
    for (const vector of vectors<ElectionVector>('election-with-isr')) {
      const shuttingDown = new Set(vector.shuttingDownBrokers);
      const input = {
        assignment: vector.assignment,
        current: vector.before,
        isOnline: (id: number) => vector.liveBrokers.includes(id) && !shuttingDown.has(id),
        isOnlineOrShuttingDown: (id: number) => vector.liveBrokers.includes(id),
        shuttingDownBrokers: shuttingDown,
      };
      const elections: Record<string, () => ElectionResult> = {
        offline: () => leaderForOffline(input, vector.uncleanLeaderElectionEnabled === true),
        reassign: () => leaderForReassign(input),
        preferred: () => leaderForPreferredReplica(input),
        controlledShutdown: () => leaderForControlledShutdown(input),
      };
      const { leaderAndIsr, recipients } = elections[vector.strategy]!();
      expect({ after: leaderAndIsr ?? null, requestsGoTo: recipients, vector }).toEqual({
        after: vector.after,
        requestsGoTo: vector.requestsGoTo,
        vector,
      });
    }
  });

  it('plans reassignments', () => {
    for (const { from, target, result } of vectors<ReassignmentVector>('reassignment')) {
      const planned = reassignTo(from, target);
      expect({
        ...planned,
        originReplicas: originReplicas(planned),
        targetReplicas: targetReplicas(planned),
      }).toEqual(result);
    }
  });
});
