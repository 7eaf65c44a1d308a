import { basename, extname } from 'node:path';
import { CorruptSnapshotError, firstSequence, readSnapshot, TransactionIndex } from '@klassic/log';
import { parseArguments, required } from '../arguments.ts';
import { UsageError } from '../tool.ts';
import type { Tool, ToolIo } from '../tool.ts';
import { dumpOffsetIndex, dumpTimeIndex } from './dump-index.ts';
import { dumpLogFile } from './dump-log-file.ts';
import { Findings } from './findings.ts';
import { parseOffsetsRecord, parseText, parseTransactionRecord } from './message-parsers.ts';
import type { MessageParser } from './message-parsers.ts';
import { requireFile } from './require-file.ts';

const options = {
  'cluster-metadata-decoder': 'flag',
  'deep-iteration': 'flag',
  files: 'string',
  'index-sanity-check': 'flag',
  'key-decoder-class': 'string',
  'max-message-size': 'number',
  'offsets-decoder': 'flag',
  'print-data-log': 'flag',
  'skip-record-metadata': 'flag',
  'transaction-log-decoder': 'flag',
  'value-decoder-class': 'string',
  'verify-index-only': 'flag',
} as const;

const DESCRIPTION =
  'This tool helps to parse a log file and dump its contents to the console, useful for debugging a seemingly corrupt log segment.';
const TEXT_DECODER = 'kafka.serializer.StringDecoder';
/** Options that ask for the records' contents. */
const CONTENT_OPTIONS = [
  'print-data-log',
  'offsets-decoder',
  'transaction-log-decoder',
  'value-decoder-class',
  'key-decoder-class',
];

/** kafka-dump-log: what stands in a log's files. Counterpart of `kafka.tools.DumpLogSegments`. */
export const dumpLogCommand: Tool = (argv, io) => Promise.resolve(dump(argv, io));

function dump(argv: readonly string[], io: ToolIo): number {
  if (argv.length === 0) throw new UsageError(DESCRIPTION);
  const args = parseArguments(argv, options);
  const files = required(args.files, 'files').split(',');
  for (const decoder of [args['key-decoder-class'], args['value-decoder-class']]) {
    if (decoder !== undefined && decoder !== TEXT_DECODER) {
      throw new UsageError(`Decoder classes of Java cannot be run here; there is only ${TEXT_DECODER}`);
    }
  }
  if (args['cluster-metadata-decoder']) {
    throw new UsageError('--cluster-metadata-decoder is of no use: a cluster with ZooKeeper has no metadata log');
  }
  const printsContents = args.given.some((name) => CONTENT_OPTIONS.includes(name));
  const findings = new Findings();
  for (const file of files) {
    io.out(`Dumping ${file}\n`);
    dumpFile(file, io, findings, {
      sanityOnly: args['index-sanity-check'],
      verifyOnly: args['verify-index-only'],
      isDeep: args['deep-iteration'] || printsContents,
      printsContents,
      skipsRecordMetadata: args['skip-record-metadata'],
      parser: parserOf(args),
    });
  }
  findings.print(io);
  return 0;
}

function parserOf(args: Readonly<Record<'offsets-decoder' | 'transaction-log-decoder', boolean>>): MessageParser {
  if (args['offsets-decoder']) return parseOffsetsRecord;
  return args['transaction-log-decoder'] ? parseTransactionRecord : parseText;
}

function dumpFile(
  file: string,
  io: ToolIo,
  findings: Findings,
  how: Parameters<typeof dumpOffsetIndex>[2] & Parameters<typeof dumpLogFile>[2],
): void {
  switch (extname(file)) {
    case '.log':
      dumpLogFile(file, io, how, findings);
      return;
    case '.index':
      dumpOffsetIndex(file, io, how, findings);
      return;
    case '.timeindex':
      dumpTimeIndex(file, io, how, findings);
      return;
    case '.snapshot':
      dumpSnapshot(file, io);
      return;
    case '.txnindex':
      dumpTransactionIndex(file, io);
      return;
    default:
      io.err(`Ignoring unknown file ${file}\n`);
  }
}

function dumpSnapshot(file: string, io: ToolIo): void {
  try {
    for (const entry of readSnapshot(requireFile(file))) {
      const open = entry.currentTxnFirstOffset;
      const batch = entry.batches[0];
      io.out(
        `producerId: ${entry.producerId} producerEpoch: ${entry.producerEpoch} ` +
          `coordinatorEpoch: ${entry.coordinatorEpoch} ` +
          `currentTxnFirstOffset: ${open === null ? 'None' : `Some(${open})`} ` +
          (batch === undefined
            ? ''
            : `firstSequence: ${firstSequence(batch)} lastSequence: ${batch.lastSequence} ` +
              `lastOffset: ${batch.lastOffset} offsetDelta: ${batch.offsetDelta} timestamp: ${batch.timestamp}`) +
          '\n',
      );
    }
  } catch (error) {
    if (!(error instanceof CorruptSnapshotError)) throw error;
    io.err(`${error.message}\n`);
  }
}

function dumpTransactionIndex(file: string, io: ToolIo): void {
  const index = new TransactionIndex(requireFile(file), Number(basename(file).split('.')[0]));
  for (const txn of index.allAbortedTxns()) {
    io.out(
      `version: 0 producerId: ${txn.producerId} firstOffset: ${txn.firstOffset} lastOffset: ${txn.lastOffset} ` +
        `lastStableOffset: ${txn.lastStableOffset}\n`,
    );
  }
}
