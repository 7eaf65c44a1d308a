import type { ControllerStore } from './controller-store.ts';
import { isOperatingError } from './operating-error.ts';
import { StateChangeFailedError } from './state-change-failed-error.ts';

const UNCLEAN_LEADER_ELECTION_ENABLE = 'unclean.leader.election.enable';

/**
 * Whether the topics let a leader come from outside the ISR, by their own setting or else the broker's. Pipelined.
 *
 * @returns by topic; an error where its configuration cannot be read, so that nobody is elected for it
 */
export async function uncleanLeaderElectionByTopic(
  store: Pick<ControllerStore, 'getEntityConfigs'>,
  topics: Iterable<string>,
  brokerDefault: boolean,
): Promise<Map<string, boolean | Error>> {
  return new Map(
    await Promise.all(
      [...new Set(topics)].map(async (topic): Promise<[string, boolean | Error]> => {
        try {
          const override = (await store.getEntityConfigs('topics', topic))[UNCLEAN_LEADER_ELECTION_ENABLE];
          return [topic, override === undefined ? brokerDefault : parseBoolean(override)];
        } catch (error) {
          if (!isOperatingError(error)) throw error;
          return [topic, error];
        }
      }),
    ),
  );
}

/** As `ConfigDef` reads it. */
function parseBoolean(text: string): boolean {
  const value = text.trim().toLowerCase();
  if (value === 'true' || value === 'false') return value === 'true';
  throw new StateChangeFailedError(
    `Invalid value ${text} for configuration ${UNCLEAN_LEADER_ELECTION_ENABLE}: Expected value to be either true or false`,
  );
}
