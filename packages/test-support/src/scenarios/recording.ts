import { existsSync } from 'node:fs';
import { readReferenceLines, referenceFile } from '../reference.ts';

export interface RecordedOp {
  readonly op: string;
  readonly path: string;
  readonly data?: unknown;
  readonly version?: number;
  readonly ephemeral?: boolean;
  readonly error?: string;
}
export interface RecordedTransaction extends RecordedOp {
  readonly t: number;
  readonly zxid: number;
  readonly who: string;
  readonly ops?: readonly RecordedOp[];
  /** What was asked for, when it was refused and is no multi. */
  readonly request?: RecordedOp;
}
export interface RecordedRpc {
  readonly t: number;
  readonly from: string;
  readonly to: string;
  readonly api: string;
  readonly v: number;
  readonly request: Record<string, unknown>;
  readonly response: unknown;
}
export interface LogLine {
  readonly broker: number;
  readonly level: string;
  readonly m: string;
}
export interface Snapshot {
  readonly [path: string]: { readonly data: unknown; readonly version: number; readonly ephemeral?: string };
}
export interface Step {
  readonly t: number;
  readonly step: string;
}

export const apiNames: Readonly<Record<string, string>> = {
  LEADER_AND_ISR: 'LeaderAndIsr',
  UPDATE_METADATA: 'UpdateMetadata',
  STOP_REPLICA: 'StopReplica',
};

/** The lines of a recording's file. */
export function recordedLines<T>(file: string[]): T[] {
  // A file without lines is left out of a recording.
  if (!existsSync(referenceFile(...file))) return [];
  return readReferenceLines(...file).map((line) => JSON.parse(line) as T);
}
