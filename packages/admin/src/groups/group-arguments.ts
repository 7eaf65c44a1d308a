import type { Arguments } from '../arguments.ts';

/** The options of kafka-consumer-groups. */
export const groupOptions = {
  'all-groups': 'flag',
  'all-topics': 'flag',
  'bootstrap-server': 'string',
  'by-duration': 'string',
  'command-config': 'string',
  delete: 'flag',
  'delete-offsets': 'flag',
  describe: 'flag',
  'dry-run': 'flag',
  execute: 'flag',
  export: 'flag',
  'from-file': 'string',
  group: 'strings',
  list: 'flag',
  members: 'flag',
  offsets: 'flag',
  'reset-offsets': 'flag',
  'shift-by': 'number',
  state: 'flag',
  timeout: 'number',
  'to-current': 'flag',
  'to-datetime': 'string',
  'to-earliest': 'flag',
  'to-latest': 'flag',
  'to-offset': 'number',
  topic: 'strings',
  verbose: 'flag',
} as const;

export type GroupArguments = Arguments<typeof groupOptions>;
