import { parseArgs } from 'node:util';
import { apis } from '../apis.ts';
import type { Api } from '../apis.ts';
import * as messages from '../messages/index.ts';
import type { Schema } from '../schema/index.ts';
import { annotateBatches, annotateMessage, annotateRequest, annotateResponse } from './annotate.ts';
import type { AnnotatedBytes } from './annotation.ts';
import { annotatedJson, annotatedText } from './text.ts';

export const USAGE = `klassic-decode: what the bytes of Kafka's protocol say

  klassic-decode request                              a request frame, size in front; either codec
  klassic-decode response --api Fetch --version 11    a response frame [--codec kafka|msgpack]
  klassic-decode message OffsetCommitValue            a stored message behind its version [--version N: without it]
  klassic-decode batch                                a record set, or the bytes of a .log file

  --hex 0000001a0012…    the bytes in hex; without it they are read from --file, or as hex from standard input
  --file 00000000.log    a file of raw bytes
  --json                 JSON instead of text
`;

/** What the person typed that cannot be; one line for them. */
export class UsageError extends Error {}

const OPTIONS = {
  api: { type: 'string' },
  version: { type: 'string' },
  codec: { type: 'string' },
  hex: { type: 'string' },
  file: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** Where the bytes come from when they aren't in the arguments. */
export interface Sources {
  readFile(path: string): Buffer;
  readStandardInput(): string;
}

function bytesOfHex(text: string): Buffer {
  const hex = text.replace(/0x|[\s:]/g, '');
  if (hex === '' || hex.length % 2 !== 0 || /[^0-9a-fA-F]/.test(hex)) throw new UsageError('That is no hex.');
  return Buffer.from(hex, 'hex');
}

function versionOf(text: string | undefined): number {
  if (text === undefined || !/^\d+$/.test(text)) throw new UsageError('A --version is needed, a number.');
  return Number(text);
}

function apiOf(name: string | undefined): Api {
  const wanted = name?.toLowerCase().replaceAll('_', '');
  const api = Object.values<Api>(apis).find((each) => each.name.toLowerCase() === wanted);
  if (api === undefined) throw new UsageError(`An --api is needed, one of ${Object.keys(apis).join(', ')}.`);
  return api;
}

function schemaOf(name: string | undefined): Schema {
  const schema = Object.values<Schema>(messages).find((each) => each.name === name);
  if (schema === undefined) throw new UsageError(`There is no message ${name ?? '(its name is missing)'}.`);
  return schema;
}

/** Runs the command; returns what is to be printed. @throws UsageError */
export function decodeCommand(args: readonly string[], sources: Sources): string {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  const { values, positionals } = parsed;
  const [kind, name] = positionals;
  if (values.help || kind === undefined) return USAGE;
  const bytes = () => {
    if (values.hex !== undefined) return bytesOfHex(values.hex);
    return values.file === undefined ? bytesOfHex(sources.readStandardInput()) : sources.readFile(values.file);
  };
  const print = (result: AnnotatedBytes) =>
    values.json ? `${JSON.stringify(annotatedJson(result), null, 2)}\n` : annotatedText(result);
  switch (kind) {
    case 'request':
      return print(annotateRequest(bytes()));
    case 'response': {
      const codec = values.codec ?? 'kafka';
      if (codec !== 'kafka' && codec !== 'msgpack') throw new UsageError('A --codec is kafka or msgpack.');
      return print(annotateResponse(bytes(), codec, apiOf(values.api), versionOf(values.version)));
    }
    case 'message': {
      const version = values.version === undefined ? 'in-front' : versionOf(values.version);
      return print(annotateMessage(bytes(), schemaOf(name), version));
    }
    case 'batch':
      return print(annotateBatches(bytes()));
    default:
      throw new UsageError(`${kind} is none of request, response, message and batch.`);
  }
}
