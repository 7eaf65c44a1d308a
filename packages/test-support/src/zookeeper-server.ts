import type { ZooKeeperProcess } from '@klassic/lab';

/** A real ZooKeeper server, alone or one of an ensemble, whichever way it runs. */
export type ZooKeeperServer = Pick<
  ZooKeeperProcess,
  'port' | 'pid' | 'state' | 'pause' | 'resume' | 'kill' | 'start' | 'restart'
>;
