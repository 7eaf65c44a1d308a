import { Errors, KafkaError } from '@klassic/protocol';

type Props = Readonly<Record<string, string>>;

/** Codes of `AlterConfigOp.OpType`. */
export const configOperation = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

const operationNames = ['SET', 'DELETE', 'APPEND', 'SUBTRACT'];

/** What one entry of a request does to a setting. */
export interface ConfigChange {
  readonly name: string;
  /** Of no concern where the setting is deleted. */
  readonly value: string | null;
  /** One of `configOperation`. */
  readonly configOperation: number;
}

/** What must be known of a setting to change it. */
export interface ChangedSetting {
  readonly isList: boolean;
  /** As text; null where there is none. */
  readonly default: string | null;
}

/** The name of an operation. @throws KafkaError UNKNOWN_SERVER_ERROR when it is none: the original cannot read such a request */
export function configOperationName(operation: number): string {
  const name = operationNames[operation];
  if (name === undefined)
    throw new KafkaError(Errors.UNKNOWN_SERVER_ERROR, `${operation} is no operation on a setting`);
  return name;
}

/** @throws KafkaError INVALID_REQUEST for names that stand twice, and values that are missing */
export function checkChanges(changes: readonly ConfigChange[]): void {
  const names = changes.map(({ name }) => name);
  const twice = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
  if (twice.length > 0) {
    throw new KafkaError(Errors.INVALID_REQUEST, `Error due to duplicate config keys : ${twice.join(',')}`);
  }
  const nulls = changes
    .filter(({ value, configOperation: operation }) => value === null && operation !== configOperation.delete)
    .map(({ name, configOperation: operation }) => `${configOperationName(operation)}:${name}`);
  if (nulls.length > 0) {
    throw new KafkaError(Errors.INVALID_REQUEST, `Null value not supported for : ${nulls.join(',')}`);
  }
}

/**
 * The settings after the changes (KIP-339, `ZkAdminManager.prepareIncrementalConfigs`). A list that is not set begins
 * with its default.
 *
 * @param settingOf undefined for a name that nobody knows
 * @throws KafkaError INVALID_REQUEST for items added to what is no list; UNKNOWN_SERVER_ERROR, as the original, for an
 *   unknown one
 */
export function withChanges(
  current: Props,
  changes: readonly ConfigChange[],
  settingOf: (name: string) => ChangedSetting | undefined,
): Record<string, string> {
  const next = new Map(Object.entries(current));
  for (const { name, value, configOperation: operation } of changes) {
    if (operation === configOperation.delete) next.delete(name);
    else if (operation === configOperation.set) next.set(name, value!);
    else next.set(name, changedList(name, next.get(name), value!, operation, settingOf(name)));
  }
  return Object.fromEntries(next);
}

function changedList(
  name: string,
  current: string | undefined,
  value: string,
  operation: number,
  setting: ChangedSetting | undefined,
): string {
  if (setting === undefined) throw new KafkaError(Errors.UNKNOWN_SERVER_ERROR, `key not found: ${name}`);
  if (!setting.isList) {
    const verb = operation === configOperation.append ? 'append' : 'subtract';
    throw new KafkaError(Errors.INVALID_REQUEST, `Config value ${verb} is not allowed for config key: ${name}`);
  }
  const items = javaSplit(current ?? setting.default ?? '');
  const given = javaSplit(value);
  return (operation === configOperation.append ? [...items, ...given] : without(items, given)).join(',');
}

/** Java's `split(",")`: what follows the last item that is not empty is dropped, an empty text is one empty item. */
function javaSplit(text: string): string[] {
  const items = text.split(',');
  while (items.length > 1 && items.at(-1) === '') items.pop();
  return items;
}

/** Scala's `diff`: each given item takes one away. */
function without(items: readonly string[], given: readonly string[]): string[] {
  const left = [...given];
  return items.filter((item) => {
    const at = left.indexOf(item);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
