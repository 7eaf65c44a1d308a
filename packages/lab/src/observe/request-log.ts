import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A request as its receiver logged it when the response had been sent. */
export interface LoggedRequest {
  /** When it was received: milliseconds since 1970 UTC. */
  readonly receivedAtMs: number;
  /** Id of the broker that received it. */
  readonly to: number;
  /** Kafka's name of the API, `LEADER_AND_ISR`. */
  readonly api: string;
  readonly apiVersion: number;
  readonly clientId: string;
  readonly request: Record<string, unknown>;
  readonly response: Record<string, unknown>;
}

interface LogEntry {
  readonly requestHeader: {
    readonly requestApiKeyName: string;
    readonly requestApiVersion: number;
    readonly clientId: string;
  };
  readonly request: Record<string, unknown>;
  readonly response: Record<string, unknown>;
  readonly totalTimeMs: number;
}

const line =
  /^\[(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d),(\d{3})\] \w+ Completed request:(\{.*\}) \(kafka\.request\.logger\)$/;

/** The requests of a broker's kafka-request.log (times in it are UTC), those from `sinceMs` on, in the order of completion. */
export function readRequestLog(logFolder: string, brokerId: number, sinceMs = 0): LoggedRequest[] {
  const file = join(logFolder, 'kafka-request.log');
  if (!existsSync(file)) return [];
  const requests: LoggedRequest[] = [];
  for (const text of readFileSync(file, 'utf8').split('\n')) {
    const parsed = parseRequestLine(text, brokerId);
    if (parsed !== undefined && parsed.receivedAtMs >= sinceMs) requests.push(parsed);
  }
  return requests;
}

/** One line of kafka-request.log. @returns undefined for a line that tells of no completed request */
export function parseRequestLine(text: string, brokerId: number): LoggedRequest | undefined {
  const match = line.exec(text);
  if (match === null) return undefined;
  const [, date, time, milliseconds, json] = match;
  const entry = JSON.parse(json!) as LogEntry;
  return {
    receivedAtMs: Date.parse(`${date}T${time}.${milliseconds}Z`) - entry.totalTimeMs,
    to: brokerId,
    api: entry.requestHeader.requestApiKeyName,
    apiVersion: entry.requestHeader.requestApiVersion,
    clientId: entry.requestHeader.clientId,
    request: entry.request,
    response: entry.response,
  };
}
