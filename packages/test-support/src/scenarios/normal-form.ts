import type { RecordedRpc, RecordedTransaction } from './recording.ts';
import { apiNames } from './recording.ts';

/** A step of a write as ZooKeeper was asked for it. */
export interface WrittenOp {
  readonly op: string;
  readonly path: string;
  readonly data?: Buffer | null;
  readonly version?: number;
}

/** A write that ZooKeeper was asked for, and how it ended. */
export interface WrittenTransaction {
  readonly who: string;
  readonly ops: readonly WrittenOp[];
  readonly isMulti: boolean;
  readonly code: string;
}

/** Without the threads' own lines; the recording folds repeated lines into one, and sets have no order. */
export function logs(recorded: readonly { readonly broker: number; readonly m: string }[]): Record<string, string[]> {
  const texts: Record<string, string[]> = {};
  for (const { broker, m } of recorded) {
    if (/^\[(RequestSendThread|ControllerEventThread)/.test(m)) continue;
    const text = ordered(m);
    const list = (texts[`broker-${broker}`] ??= []);
    if (!list.includes(text)) list.push(text);
  }
  return texts;
}

/** A line with the members of its sets, maps and lists in order. */
function ordered(line: string): string {
  const sorted = (list: string, separator: string): string => list.split(separator).sort().join(separator);
  const assignments = /[\w.-]+ -> ReplicaAssignment\([^)]*\)(?:, [\w.-]+ -> ReplicaAssignment\([^)]*\))+/g;
  return line
    .replace(/Hash(Set|Map)\(/g, '$1(')
    .replace(assignments, (list) =>
      list
        .split(/(?<=\)), /)
        .sort()
        .join(', '),
    )
    .replace(/(?<=(?:Set|Map)\()[^()]*(?=\))/g, (list) => sorted(list, ', '))
    .replace(/(?<=(?:for|partitions|deletion:) )\S+,\S+/g, (list) => sorted(list, ','));
}

export function isControllersOwn({ op, path, ops }: RecordedTransaction): boolean {
  return isOwn(ops ?? [{ op, path }], ops !== undefined);
}

/** Fenced writes, the election and what precedes it. */
export function isOwn(ops: readonly { op: string; path?: string }[], isMulti: boolean): boolean {
  if (isMulti) return ops[0]?.path === '/controller' || (ops[0]?.op === 'check' && ops[0].path === '/controller_epoch');
  return ops[0]?.op === 'create' && ['/controller_epoch', '/feature'].includes(ops[0].path ?? '');
}

/** Whether a broker that loses an election tries before or after it learns of the winner is a matter of milliseconds. */
export function isLostRace(ops: readonly WrittenOp[], code: string): boolean {
  return ops[0]?.path === '/controller' && code === 'NODE_EXISTS';
}

export function recordedText({ op, path, data, ops, error, request }: RecordedTransaction): string {
  if (request !== undefined) return refusedText(request, error);
  return (ops ?? [{ op, path, data }])
    .map((one) => {
      if (one.op === 'error') return `error ${one.error}`;
      if (one.op === 'check') return `check v${Number(one.version) - 1}`;
      return `${one.op} ${one.path} ${dataText(one.data)}`;
    })
    .join('; ');
}

const recordedCodes: Readonly<Record<string, string>> = {
  NO_NODE: 'NoNode',
  NODE_EXISTS: 'NodeExists',
  BAD_VERSION: 'BadVersion',
};

export function transactionText({ ops, code, isMulti }: WrittenTransaction): string {
  if (code !== 'OK' && !isMulti) return refusedText(ops[0]!, recordedCodes[code] ?? code);
  return ops
    .map((op, index) => {
      if (op.op === 'check') return `check v${op.version}`;
      if (code !== 'OK' && index === ops.length - 1) return `error ${recordedCodes[code] ?? code}`;
      const data = op.data?.toString();
      return `${op.op} ${op.path} ${data === undefined || data === '' ? '' : dataText(JSON.parse(data))}`;
    })
    .join('; ');
}

function refusedText({ op, path }: { readonly op: string; readonly path: string }, error: string | undefined): string {
  return `${op} ${path} refused: ${error}`;
}

/** A znode's data without the time at which it was written. */
export function dataText(data: unknown): string {
  if (data === null || data === undefined) return '';
  if (typeof data !== 'object') return JSON.stringify(data).replaceAll('"', '');
  const { timestamp: _, ...rest } = data as { timestamp?: unknown };
  return sortedJson(rest);
}

export function recordedRpcText({ api, v, request }: RecordedRpc): string {
  return rpcText(apiNames[api]!, v, request);
}

/** A request with what comes from hash maps put in order. */
export function rpcText(api: string, version: number, request: Record<string, unknown>): string {
  const sorted = Object.fromEntries(
    Object.entries(request).map(([field, value]) => [field, Array.isArray(value) ? sortedEntries(value) : value]),
  );
  return `${api} v${version} ${sortedJson(sorted)}`;
}

function sortedEntries(list: readonly unknown[]): unknown[] {
  return list
    .map((entry) => {
      const { partitionStates, ...rest } = entry as { partitionStates?: unknown[] };
      if (partitionStates === undefined) return entry;
      return { ...rest, partitionStates: [...partitionStates].sort((a, b) => indexOf(a) - indexOf(b)) };
    })
    .sort((a, b) => (sortedJson(a) < sortedJson(b) ? -1 : 1));
}

function indexOf(state: unknown): number {
  return (state as { partitionIndex: number }).partitionIndex;
}

/** JSON with the keys of objects in order. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

export function grouped<T>(
  items: readonly T[],
  key: (item: T) => string,
  text: (item: T) => string,
): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const item of items) (groups[key(item)] ??= []).push(text(item));
  return Object.fromEntries(
    Object.entries(groups)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, texts]) => [name, sortedRuns(texts)]),
  );
}

/** Neighbouring writes of partitions' znodes come in one batch: their order is by path, the order within a path stays. */
function sortedRuns(texts: readonly string[]): string[] {
  const part = /(create|setData) (\/brokers\/topics\/[^/]+\/partitions\/\d+)(\/state)? /;
  const kindOf = (text: string): string => {
    const match = part.exec(text);
    return match === null ? '' : `${match[1]}${match[3] ?? ''}`;
  };
  const pathOf = (text: string): string => part.exec(text)?.[2] ?? '';
  const result: string[] = [];
  let run: string[] = [];
  const flush = (): void => {
    result.push(...run.sort((a, b) => (pathOf(a) === pathOf(b) ? 0 : pathOf(a) < pathOf(b) ? -1 : 1)));
    run = [];
  };
  for (const text of texts) {
    const kind = kindOf(text);
    if (run[0] === undefined || kind !== kindOf(run[0])) flush();
    if (kind === '') result.push(text);
    else run.push(text);
  }
  flush();
  return result;
}
