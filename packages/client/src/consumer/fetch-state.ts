export type FetchStateName = 'INITIALIZING' | 'FETCHING' | 'AWAIT_RESET' | 'AWAIT_VALIDATION';

/** One of the states in which a consumer may be with a partition. */
export interface FetchState {
  readonly name: FetchStateName;
  /** Where it may go from here; an attempt to go elsewhere changes nothing. */
  readonly validTransitions: readonly FetchStateName[];
  /** Whether there must be a position; where there need not be one, an earlier one is forgotten. */
  readonly requiresPosition: boolean;
  /** Whether records may be fetched, returned and committed by the position. */
  readonly hasValidPosition: boolean;
}

/** The states and their transitions. Counterpart of `SubscriptionState.FetchStates`. */
export const fetchStates: Readonly<Record<FetchStateName, FetchState>> = {
  // Just assigned: whether there is a committed offset is not known yet.
  INITIALIZING: {
    name: 'INITIALIZING',
    validTransitions: ['FETCHING', 'AWAIT_RESET', 'AWAIT_VALIDATION'],
    requiresPosition: false,
    hasValidPosition: false,
  },
  FETCHING: {
    name: 'FETCHING',
    validTransitions: ['FETCHING', 'AWAIT_RESET', 'AWAIT_VALIDATION'],
    requiresPosition: true,
    hasValidPosition: true,
  },
  // An offset is to be asked for by the reset strategy.
  AWAIT_RESET: {
    name: 'AWAIT_RESET',
    validTransitions: ['FETCHING', 'AWAIT_RESET'],
    requiresPosition: false,
    hasValidPosition: false,
  },
  // The leader has changed: it is to be asked whether its log still holds what was read (KIP-320).
  AWAIT_VALIDATION: {
    name: 'AWAIT_VALIDATION',
    validTransitions: ['FETCHING', 'AWAIT_RESET', 'AWAIT_VALIDATION'],
    requiresPosition: true,
    hasValidPosition: false,
  },
};
