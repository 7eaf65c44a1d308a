/** Codes of errors that the controller itself looks at in brokers' answers. */
export const Errors = { NONE: 0, KAFKA_STORAGE_ERROR: 56 } as const;
