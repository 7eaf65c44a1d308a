import type { Logger, LoggerFactory, Time } from '@klassic/common';
import { InvariantViolation, prefixed } from '@klassic/common';
import type { ControllerEvent } from './controller-events.ts';
import { ControllerStats } from './controller-stats.ts';

/** Carries events out; a promise it returns is waited for before the next event begins. */
export interface ControllerEventProcessor {
  process(event: ControllerEvent): Promise<void>;
  /** Answers an event that was dropped from the queue. */
  preempt(event: ControllerEvent): void;
}

interface QueuedEvent {
  readonly event: ControllerEvent;
  /** By `Time.hiResMs`. */
  readonly queuedHiResMs: number;
  readonly started: () => void;
}

/** The controller's one queue and one thread of control (`kafka.controller.ControllerEventManager`, KAFKA-5028). */
export class ControllerEventManager {
  readonly stats = new ControllerStats();
  private readonly queue: QueuedEvent[] = [];
  private readonly processor: ControllerEventProcessor;
  private readonly time: Time;
  private readonly log: Logger;
  private running = false;
  private closed = false;
  private loop: Promise<void> = Promise.resolve();
  private wake: (() => void) | undefined;
  private current: ControllerEvent | undefined;

  constructor(controllerId: number, processor: ControllerEventProcessor, time: Time, loggers: LoggerFactory) {
    this.processor = processor;
    this.time = time;
    this.log = prefixed(
      loggers('kafka.controller.ControllerEventManager$ControllerEventThread'),
      `[ControllerEventThread controllerId=${controllerId}] `,
    );
  }

  /** The event under way; undefined when idle. */
  get state(): ControllerEvent['kind'] | 'Idle' {
    return this.current?.kind ?? 'Idle';
  }

  get size(): number {
    return this.queue.length;
  }

  /** What waits, in order, for people to read. */
  get queued(): ControllerEvent['kind'][] {
    return this.queue.map(({ event }) => event.kind);
  }

  start(): void {
    if (this.running || this.closed) return;
    this.running = true;
    this.log.info('Starting');
    this.loop = this.run();
  }

  /** Queues an event. The promise is fulfilled when its processing begins, at once when the manager is closed. */
  put(event: ControllerEvent): Promise<void> {
    return new Promise((started) => {
      if (this.closed) {
        this.processor.preempt(event);
        started();
        return;
      }
      this.queue.push({ event, queuedHiResMs: this.time.hiResMs(), started });
      this.wake?.();
    });
  }

  /** Drops what waits in the queue (each event is answered by `preempt`) and queues `event`. */
  clearAndPut(event: ControllerEvent): Promise<void> {
    this.clear();
    return this.put(event);
  }

  /** Ends the loop after the event under way; what waits is preempted. */
  async close(): Promise<void> {
    if (this.closed) return this.loop;
    this.closed = true;
    this.log.info('Shutting down');
    this.clear();
    this.wake?.();
    await this.loop;
    this.log.info('Shutdown completed');
  }

  private clear(): void {
    for (const { event, started } of this.queue.splice(0)) {
      this.processor.preempt(event);
      started();
    }
  }

  private async run(): Promise<void> {
    for (;;) {
      const next = this.queue.shift();
      if (next !== undefined) {
        await this.processOne(next);
      } else if (this.closed) {
        break;
      } else {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
        this.wake = undefined;
      }
    }
    this.log.info('Stopped');
  }

  private async processOne({ event, queuedHiResMs, started }: QueuedEvent): Promise<void> {
    this.current = event;
    const begunHiResMs = this.time.hiResMs();
    started();
    try {
      await this.processor.process(event);
    } catch (error) {
      if (error instanceof InvariantViolation) throw error;
      this.log.error(`Uncaught error processing event ${event.kind}`, error);
    } finally {
      this.current = undefined;
      this.stats.update(event.kind, begunHiResMs - queuedHiResMs, this.time.hiResMs() - begunHiResMs);
    }
  }
}
