import { Admin } from '@klassic/client';
import { KafkaError } from '@klassic/protocol';
import { parseArguments, refuseTogether, required, requireOptions } from '../arguments.ts';
import { clientOptions, readProperties } from '../client-settings.ts';
import { UsageError } from '../tool.ts';
import type { Tool, ToolIo } from '../tool.ts';
import { groupOptions } from './group-arguments.ts';
import type { GroupArguments } from './group-arguments.ts';
import { deleteOffsets } from './delete-offsets.ts';
import { describeMembers, describeOffsets, describeState } from './describe.ts';
import { resetOffsets } from './reset-offsets.ts';
import { tableLines, widthOf } from './table.ts';

const actions = ['list', 'describe', 'delete', 'reset-offsets', 'delete-offsets'] as const;

const states = ['PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead', 'Empty'];

/** kafka-consumer-groups: list, describe, delete groups, reset offsets. Counterpart of `kafka.admin.ConsumerGroupCommand`. */
export const consumerGroupCommand: Tool = async (argv, io) => {
  const { args: plain, stateFilter } = takeStateFilter(argv);
  const args = parseArguments(plain, groupOptions);
  const action = checkArguments(args);
  const settings =
    args['command-config'] === undefined ? new Map<string, string>() : readProperties(args['command-config']);
  if (args.timeout !== undefined) settings.set('default.api.timeout.ms', String(args.timeout));
  const admin = new Admin(clientOptions(required(args['bootstrap-server'], 'bootstrap-server'), settings));
  try {
    if (action === 'list') await listGroups(admin, args, stateFilter, io);
    else if (action === 'delete') await deleteGroups(admin, await groupsOf(admin, args), io);
    else if (action === 'reset-offsets') await resetOffsets(admin, await groupsOf(admin, args), args, io);
    else if (action === 'delete-offsets') await deleteOffsets(admin, args.group[0]!, args, io);
    else for (const groupId of await groupsOf(admin, args)) await describeGroup(admin, groupId, args, io);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { exception } = error instanceof KafkaError ? error.error : { exception: null };
    const what = exception === null ? (error as Error).name : `org.apache.kafka.common.errors.${exception}`;
    io.out(`\nError: Executing consumer group command failed due to ${what}: ${(error as Error).message}\n`);
  } finally {
    admin.close();
  }
  return 0;
};

/** `--state` may stand alone, or be followed by states to list. */
function takeStateFilter(argv: readonly string[]): { args: string[]; stateFilter: string[] } {
  const at = argv.indexOf('--state');
  const value = at < 0 ? undefined : argv[at + 1];
  if (value === undefined || value.startsWith('--')) return { args: [...argv], stateFilter: [] };
  const wanted = value.split(',').map((name) => name.trim());
  if (wanted.some((name) => !states.includes(name))) {
    throw new UsageError(`Invalid state list '${value}'. Valid states are: ${states.join(', ')}`);
  }
  return { args: argv.toSpliced(at + 1, 1), stateFilter: wanted };
}

function checkArguments(args: GroupArguments): (typeof actions)[number] {
  const { given } = args;
  const asked = actions.filter((action) => given.includes(action));
  if (asked.length !== 1) {
    throw new UsageError(
      'Command must include exactly one action: --list, --describe, --delete, --reset-offsets, --delete-offsets',
    );
  }
  const action = asked[0]!;
  requireOptions(given, 'bootstrap-server');
  if (action !== 'list' && !given.includes('group') && !given.includes('all-groups')) {
    throw new UsageError(`Option [${action}] takes one of these options: [all-groups], [group]`);
  }
  if (action === 'delete-offsets' && (args.group.length === 0 || args.topic.length === 0)) {
    throw new UsageError('Option [delete-offsets] takes the following options: [group], [topic]');
  }
  if (action === 'describe') {
    refuseTogether(given, 'members', 'offsets', 'state');
    refuseTogether(given, 'offsets', 'state');
  }
  if (action === 'reset-offsets') {
    refuseTogether(given, 'dry-run', 'execute');
    if (!args['all-topics'] && args.topic.length === 0 && args['from-file'] === undefined) {
      throw new UsageError('One of the reset scopes should be defined: --all-topics, --topic.');
    }
  }
  return action;
}

async function groupsOf(admin: Admin, args: GroupArguments): Promise<string[]> {
  if (!args['all-groups']) return args.group;
  return (await admin.listGroups()).map(({ groupId }) => groupId).sort();
}

async function listGroups(
  admin: Admin,
  args: GroupArguments,
  stateFilter: readonly string[],
  io: ToolIo,
): Promise<void> {
  const groups = (await admin.listGroups()).filter(({ protocolType }) => ['', 'consumer'].includes(protocolType));
  if (!args.state) {
    io.out(groups.map(({ groupId }) => `${groupId}\n`).join(''));
    return;
  }
  const shown = groups.filter(({ state }) => stateFilter.length === 0 || stateFilter.includes(state));
  const columns = [
    {
      heading: 'GROUP',
      width: widthOf(
        shown.map(({ groupId }) => groupId),
        15,
      ),
      value: (group: (typeof shown)[number]) => group.groupId,
    },
    { heading: 'STATE', width: 0, value: (group: (typeof shown)[number]) => group.state },
  ];
  io.out(`${tableLines(columns, shown, false).join('\n')}\n`);
}

async function describeGroup(admin: Admin, groupId: string, args: GroupArguments, io: ToolIo): Promise<void> {
  const group = await admin.describeGroup(groupId);
  if (args.members) describeMembers(group, io, args.verbose);
  else if (args.state) describeState(group, io);
  else await describeOffsets(admin, group, io);
}

async function deleteGroups(admin: Admin, groupIds: readonly string[], io: ToolIo): Promise<void> {
  const failures: string[] = [];
  const deleted: string[] = [];
  for (const groupId of groupIds) {
    try {
      await admin.deleteGroup(groupId);
      deleted.push(`'${groupId}'`);
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      failures.push(
        `* Group '${groupId}' could not be deleted due to: java.util.concurrent.ExecutionException: org.apache.kafka.common.errors.${error.error.exception}: ${error.message}`,
      );
    }
  }
  if (failures.length === 0) {
    io.out(`Deletion of requested consumer groups (${deleted.join(', ')}) was successful.\n`);
    return;
  }
  io.out(`\nError: Deletion of some consumer groups failed:\n${failures.join('\n')}\n`);
  if (deleted.length > 0) {
    io.out(`\nThese consumer groups were deleted successfully: ${deleted.join(', ')}\n`);
  }
}
