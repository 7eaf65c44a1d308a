import { ZNodeFormatError, ZooKeeperError } from '@klassic/zookeeper';
import { StateChangeFailedError } from './state-change-failed-error.ts';

/**
 * Failures of ZooKeeper, of what others wrote into it and of elections. They leave the controller's own state sound: one
 * change of state fails, and the rest of the event goes on. All else is a fault of ours.
 */
export function isOperatingError(error: unknown): error is Error {
  return (
    error instanceof ZooKeeperError || error instanceof ZNodeFormatError || error instanceof StateChangeFailedError
  );
}
