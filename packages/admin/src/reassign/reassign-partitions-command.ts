import { Admin } from '@klassic/client';
import { parseArguments, required, requireOptions, VERSION } from '../arguments.ts';
import type { Arguments } from '../arguments.ts';
import { clientOptions, readProperties } from '../client-settings.ts';
import { readTextFile } from '../partition-file.ts';
import { UsageError } from '../tool.ts';
import type { Tool, ToolIo } from '../tool.ts';
import { cancelAssignment } from './cancel.ts';
import { executeAssignment } from './execute.ts';
import { ReassignmentFailedError } from './failure.ts';
import { generateAssignment } from './generate.ts';
import { listReassignments, verifyAssignment } from './verify.ts';

const options = {
  additional: 'flag',
  'bootstrap-server': 'string',
  'broker-list': 'string',
  cancel: 'flag',
  'command-config': 'string',
  'disable-rack-aware': 'flag',
  execute: 'flag',
  generate: 'flag',
  help: 'flag',
  list: 'flag',
  'preserve-throttles': 'flag',
  'reassignment-json-file': 'string',
  'replica-alter-log-dirs-throttle': 'number',
  throttle: 'number',
  timeout: 'number',
  'topics-to-move-json-file': 'string',
  verify: 'flag',
  version: 'flag',
} as const;

type ReassignArguments = Arguments<typeof options>;
type Action = 'generate' | 'execute' | 'verify' | 'cancel' | 'list';

const actions: readonly Action[] = ['generate', 'execute', 'verify', 'cancel', 'list'];
const DEFAULT_TIMEOUT_MS = 10_000;

const everywhere = ['bootstrap-server', 'command-config'];
/** The options that an action has to have, and those that it may have. */
const permitted: Readonly<Record<Action, { readonly needs: readonly string[]; readonly takes: readonly string[] }>> = {
  generate: { needs: ['topics-to-move-json-file', 'broker-list'], takes: ['disable-rack-aware'] },
  execute: {
    needs: ['reassignment-json-file'],
    takes: ['additional', 'throttle', 'replica-alter-log-dirs-throttle', 'timeout'],
  },
  verify: { needs: ['reassignment-json-file'], takes: ['preserve-throttles'] },
  cancel: { needs: ['reassignment-json-file'], takes: ['preserve-throttles', 'timeout'] },
  list: { needs: [], takes: [] },
};

/**
 * kafka-reassign-partitions: moves replicas to other brokers and log dirs. Counterpart of
 * `kafka.admin.ReassignPartitionsCommand`.
 */
export const reassignPartitionsCommand: Tool = async (argv, io) => {
  const args = parseArguments(argv, options);
  if (args.version) {
    io.out(`${VERSION} (Klassic)\n`);
    return 0;
  }
  if (args.help || argv.length === 0) {
    throw new UsageError('This tool helps to move topic partitions between replicas.');
  }
  const action = checkArguments(args);
  const given = args['command-config'] === undefined ? [] : readProperties(args['command-config']);
  const settings = new Map([['client.id', 'reassign-partitions-tool'], ...given]);
  const admin = new Admin(clientOptions(required(args['bootstrap-server'], 'bootstrap-server'), settings));
  try {
    await run[action](admin, args, io);
    return 0;
  } catch (error) {
    // The original tells of all failures on standard output.
    const { message } = error as Error;
    io.out(error instanceof ReassignmentFailedError ? `${message}\n` : `Error: ${message}\n`);
    return 1;
  } finally {
    admin.close();
  }
};

function checkArguments(args: ReassignArguments): Action {
  const { given } = args;
  const asked = actions.filter((action) => args[action]);
  const [action] = asked;
  if (action === undefined || asked.length > 1) {
    const all = actions.map((name) => `--${name}`).join(', ');
    throw new UsageError(`Command must include exactly one action: ${all}`);
  }
  const { needs, takes } = permitted[action];
  if (args['bootstrap-server'] === undefined) throw new UsageError('Please specify --bootstrap-server');
  requireOptions(given, ...needs);
  const strange = given.find((name) => name !== action && ![...needs, ...takes, ...everywhere].includes(name));
  if (strange !== undefined) throw new UsageError(`Option "[${strange}]" can't be used with action "[${action}]"`);
  return action;
}

const run: Record<Action, (admin: Admin, args: ReassignArguments, io: ToolIo) => Promise<void>> = {
  async generate(admin, args, io) {
    const topics = readTextFile(required(args['topics-to-move-json-file'], 'topics-to-move-json-file'));
    const brokers = required(args['broker-list'], 'broker-list');
    await generateAssignment(admin, topics, brokers, !args['disable-rack-aware'], io);
  },

  async execute(admin, args, io) {
    await executeAssignment(admin, planOf(args), io, {
      isAdditional: args.additional,
      throttle: args.throttle ?? -1,
      logDirThrottle: args['replica-alter-log-dirs-throttle'] ?? -1,
      timeoutMs: args.timeout ?? DEFAULT_TIMEOUT_MS,
    });
  },

  async verify(admin, args, io) {
    await verifyAssignment(admin, planOf(args), args['preserve-throttles'], io);
  },

  async cancel(admin, args, io) {
    const timeoutMs = args.timeout ?? DEFAULT_TIMEOUT_MS;
    await cancelAssignment(admin, planOf(args), { preserveThrottles: args['preserve-throttles'], timeoutMs }, io);
  },

  async list(admin, _args, io) {
    io.out(`${await listReassignments(admin)}\n`);
  },
};

function planOf(args: ReassignArguments): string {
  return readTextFile(required(args['reassignment-json-file'], 'reassignment-json-file'));
}
