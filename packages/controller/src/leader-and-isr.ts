import type { LeaderAndIsr, LeaderIsrAndControllerEpoch } from '@klassic/zookeeper';
import { initialLeaderEpoch, initialZkVersion, leaderDuringDelete } from '@klassic/zookeeper';

/** The leader epoch of StopReplica for a partition without a known state. */
export const noEpoch = -1;

/** The state of a partition that has just been created. */
export function initialLeaderAndIsr(leader: number, isr: readonly number[]): LeaderAndIsr {
  return { leader, leaderEpoch: initialLeaderEpoch, isr, zkVersion: initialZkVersion };
}

/** What brokers are told of a partition that is being deleted (`kafka.api.LeaderAndIsr.duringDelete`). */
export function duringDelete(isr: readonly number[]): LeaderAndIsr {
  return initialLeaderAndIsr(leaderDuringDelete, isr);
}

/** The next state: each change by a controller raises the leader epoch; the znode's version stays the expected one. */
export function nextLeaderAndIsr(current: LeaderAndIsr, leader: number, isr: readonly number[]): LeaderAndIsr {
  return { leader, leaderEpoch: current.leaderEpoch + 1, isr, zkVersion: current.zkVersion };
}

/** As Kafka's logs print it: `LeaderAndIsr(leader=3, leaderEpoch=1, isr=List(3, 1), zkVersion=1)`. */
export function leaderAndIsrText(state: LeaderAndIsr): string {
  return `LeaderAndIsr(leader=${state.leader}, leaderEpoch=${state.leaderEpoch}, isr=List(${state.isr.join(', ')}), zkVersion=${state.zkVersion})`;
}

/** As Kafka's logs print it: `(Leader:3,ISR:3,1,LeaderEpoch:1,ZkVersion:1,ControllerEpoch:1)`. */
export function leaderIsrAndControllerEpochText({
  leaderAndIsr,
  controllerEpoch,
}: LeaderIsrAndControllerEpoch): string {
  return (
    `(Leader:${leaderAndIsr.leader},ISR:${leaderAndIsr.isr.join(',')},LeaderEpoch:${leaderAndIsr.leaderEpoch}` +
    `,ZkVersion:${leaderAndIsr.zkVersion},ControllerEpoch:${controllerEpoch})`
  );
}
