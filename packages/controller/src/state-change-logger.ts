import type { Logger, LoggerFactory } from '@klassic/common';
import { prefixed } from '@klassic/common';

/** Writes `state.change.logger` as the controller of an epoch does: `[Controller id=1 epoch=1] …`. */
export class StateChangeLogger {
  private readonly brokerId: number;
  private readonly logger: Logger;
  private current: { readonly epoch: number; readonly logger: Logger } | undefined;

  constructor(brokerId: number, loggers: LoggerFactory) {
    this.brokerId = brokerId;
    this.logger = loggers('state.change.logger');
  }

  withControllerEpoch(epoch: number): Logger {
    if (this.current?.epoch !== epoch) {
      this.current = { epoch, logger: prefixed(this.logger, `[Controller id=${this.brokerId} epoch=${epoch}] `) };
    }
    return this.current.logger;
  }
}
