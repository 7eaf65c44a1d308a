import yargs from 'yargs';
import { UsageError } from './tool.ts';

type OptionKind = 'string' | 'strings' | 'number' | 'flag';

interface ValueOf {
  string: string | undefined;
  strings: string[];
  number: number | undefined;
  flag: boolean;
}

/** A tool's options: name without dashes → kind. `strings` may be given more than once. */
export type OptionTable = Readonly<Record<string, OptionKind>>;

/** What was given. An option that was not is undefined, false, or no strings. */
export type Arguments<T extends OptionTable> = { readonly [K in keyof T]: ValueOf[T[K]] } & {
  /** The options that were given, in the tool's order. */
  readonly given: readonly string[];
  readonly positional: readonly string[];
};

export const VERSION = '2.8.2';

/**
 * Reads a command line. Words are the original's where it has them (its parser's, jopt-simple's).
 *
 * @throws UsageError for an unknown option, a missing or wrong value
 */
export function parseArguments<const T extends OptionTable>(argv: readonly string[], table: T): Arguments<T> {
  const names = Object.keys(table);
  const flags = names.filter((name) => table[name] === 'flag');
  const parser = yargs([])
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'boolean-negation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'greedy-arrays': false,
      'short-option-groups': false,
    })
    .help(false)
    .version(false)
    .exitProcess(false)
    .fail(false)
    .boolean(flags)
    .array(names.filter((name) => table[name] !== 'flag'))
    .string(names.filter((name) => table[name] !== 'flag'));
  const parsed = parser.parseSync([...argv]) as Record<string, unknown>;
  for (const key of Object.keys(parsed)) {
    if (key !== '_' && key !== '$0' && !names.includes(key)) {
      throw new UsageError(`${key} is not a recognized option`);
    }
  }
  const values: Record<string, unknown> = {};
  const given: string[] = [];
  for (const name of names) {
    const value = parsed[name];
    if (value !== undefined && value !== false) given.push(name);
    values[name] = readValue(name, table[name]!, value);
  }
  const positional = (parsed['_'] as unknown[]).map(String);
  return { ...values, given, positional } as unknown as Arguments<T>;
}

function readValue(name: string, kind: OptionKind, value: unknown): unknown {
  if (kind === 'flag') return value === true;
  const list = value as string[] | undefined;
  if (list?.length === 0 || list?.includes('') === true) throw new UsageError(`Option ${name} requires an argument`);
  if (kind === 'strings') return list ?? [];
  if (list === undefined) return undefined;
  if (list.length > 1) throw new UsageError(`Found multiple arguments for option ${name}, but you asked for only one`);
  const text = list[0]!;
  if (kind === 'string') return text;
  if (!/^-?\d+$/.test(text)) throw new UsageError(`Cannot parse argument '${text}' of option ${name}`);
  return Number(text);
}

/** @throws UsageError when one of the options was not given */
export function requireOptions(given: readonly string[], ...names: string[]): void {
  for (const name of names) {
    if (!given.includes(name)) throw new UsageError(`Missing required argument "[${name}]"`);
  }
}

/** @throws UsageError when `used` was given together with one of `others` */
export function refuseTogether(given: readonly string[], used: string, ...others: string[]): void {
  if (!given.includes(used)) return;
  for (const other of others) {
    if (given.includes(other)) {
      throw new UsageError(`Option "[${used}]" can't be used with option "[${other}]"`);
    }
  }
}

/** The value of an option that `requireOptions` has seen. */
export function required<V>(value: V | undefined, name: string): V {
  if (value === undefined) throw new UsageError(`Missing required argument "[${name}]"`);
  return value;
}

/**
 * Reads `key=value` pairs, as of --property and --config. A key alone has an empty value.
 *
 * @throws UsageError for a pair without a key
 */
export function parsePairs(pairs: readonly string[]): Map<string, string> {
  const map = new Map<string, string>();
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const key = (equals < 0 ? pair : pair.slice(0, equals)).trim();
    if (key === '') throw new UsageError(`Invalid command line properties: ${pair}`);
    map.set(key, equals < 0 ? '' : pair.slice(equals + 1));
  }
  return map;
}
