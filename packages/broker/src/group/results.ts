import type { ErrorEntry } from '@klassic/protocol';
import type { JoinGroupResult, SyncGroupResult } from './messages.ts';

const noGeneration = -1;

export function failedJoin(memberId: string, error: ErrorEntry): JoinGroupResult {
  return {
    error,
    memberId,
    generationId: noGeneration,
    protocolType: null,
    protocolName: null,
    leaderId: '',
    members: [],
  };
}

export function failedSync(error: ErrorEntry): SyncGroupResult {
  return { error, protocolType: null, protocolName: null, assignment: Buffer.alloc(0) };
}
