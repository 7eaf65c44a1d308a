import type { Time } from '@klassic/common';

/** ms of cleaning after which the broker's other work gets its turn. */
const SLICE_MS = 8;

/** Cuts long work into slices: cleaning shares the one thread with everything else the broker does. */
export class Pace {
  private readonly time: Time;
  private sliceStartMs: number;

  constructor(time: Time) {
    this.time = time;
    this.sliceStartMs = time.hiResMs();
  }

  /** Whether the slice is used up. */
  get isDue(): boolean {
    return this.time.hiResMs() - this.sliceStartMs >= SLICE_MS;
  }

  /** Lets others go first. */
  async rest(): Promise<void> {
    await new Promise<void>((resume) => {
      this.time.soon(resume);
    });
    this.begin();
  }

  /** Counts a new slice from now on: after a wait for something else. */
  begin(): void {
    this.sliceStartMs = this.time.hiResMs();
  }
}
