/** Where a value comes from: the codes of `DescribeConfigsResponse.ConfigSource`. */
export const configSource = {
  topic: 1,
  dynamicBroker: 2,
  dynamicDefaultBroker: 3,
  staticBroker: 4,
  default: 5,
  dynamicBrokerLogger: 6,
} as const;

/** The codes of `DescribeConfigsResponse.ConfigType`; 0 for a setting that nobody knows. */
export const configType = {
  unknown: 0,
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
} as const;
