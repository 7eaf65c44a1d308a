import type { TopicPartition } from '@klassic/common';
import { UsageError } from '../tool.ts';

/** What `--export` writes and `--from-file` reads. */
export interface PlannedOffset extends TopicPartition {
  readonly groupId: string;
  readonly offset: number;
}

/** One line per partition: `topic,partition,offset`, with the group in front where there are several. */
export function exportPlan(plan: readonly PlannedOffset[], hasSeveralGroups: boolean): string {
  return plan
    .map(({ groupId, topic, partition, offset }) => {
      const line = [topic, partition, offset].join(',');
      return hasSeveralGroups ? `${groupId},${line}\n` : `${line}\n`;
    })
    .join('');
}

/**
 * Reads such lines.
 *
 * @param groupIds of the command line: with one of them the lines bear no group
 * @throws UsageError for a line of another form
 */
export function readPlan(text: string, groupIds: readonly string[]): PlannedOffset[] {
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  return lines.map((line) => {
    const fields = line.split(',').map((field) => field.replace(/^"(.*)"$/, '$1'));
    const [groupId, topic, partition, offset] = groupIds.length > 1 ? fields : [groupIds[0], ...fields];
    const isNumber = (field: string | undefined): boolean => /^\d+$/.test(field ?? '');
    if (groupId === undefined || topic === undefined || !isNumber(partition) || !isNumber(offset)) {
      const form = groupIds.length > 1 ? 'group,topic,partition,offset' : 'topic,partition,offset';
      throw new UsageError(`Cannot parse '${line}' of the file given by --from-file: lines are ${form}`);
    }
    return { groupId, topic, partition: Number(partition), offset: Number(offset) };
  });
}

const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 };

/** Milliseconds of an ISO-8601 duration as Java reads it: `PnDTnHnMn.nS`, each part with a sign of its own. @throws UsageError */
export function readDuration(text: string): number {
  const number = '([+-]?\\d+)';
  const pattern = `^([+-]?)P(?:${number}D)?(T(?:${number}H)?(?:${number}M)?(?:([+-]?\\d+(?:[.,]\\d{0,9})?)S)?)?$`;
  const match = new RegExp(pattern, 'i').exec(text);
  const [, sign, days, time, hours, minutes, seconds] = match ?? [];
  const parts = [days, hours, minutes, seconds];
  if (match === null || parts.every((part) => part === undefined) || time?.length === 1) {
    throw new UsageError('Text cannot be parsed to a Duration');
  }
  const value = (part: string | undefined): number => Number((part ?? '0').replace(',', '.'));
  const ms = value(days) * units.d + value(hours) * units.h + value(minutes) * units.m + value(seconds) * units.s;
  return sign === '-' ? -ms : ms;
}
