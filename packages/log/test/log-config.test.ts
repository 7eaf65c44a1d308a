import { describe, expect, it } from '@jest/globals';
import { describeWithReference, readReferenceJson } from '@klassic/test-support';
import { logConfigFromProps, topicConfigNames, validateTopicConfig } from '../src/index.ts';

describeWithReference(describe)('topic settings', () => {
  it('are those of the reference, with its defaults', () => {
    const wanted = readReferenceJson('vectors', 'configs', 'topic.json') as { name: string; default: string }[];
    expect(topicConfigNames).toEqual(wanted.map(({ name }) => name).sort());
    const defaults = Object.fromEntries(wanted.map(({ name, default: text }) => [name, text]));
    expect(logConfigFromProps({}, defaults)).toEqual(logConfigFromProps({}, {}));
  });
});

describe('logConfigFromProps', () => {
  it('takes the topic before the broker, and finer units before coarser ones', () => {
    const broker = {
      'log.segment.bytes': '5000',
      'log.retention.hours': '2',
      'log.roll.hours': '3',
      'log.roll.ms': '7',
    };
    const config = logConfigFromProps(broker, { 'segment.bytes': '6000' });
    expect([config.segmentBytes, config.retentionMs, config.segmentMs]).toEqual([6000, 7_200_000, 7]);
    expect(logConfigFromProps({ 'log.retention.hours': '-1' }, {}).retentionMs).toBe(-1);
  });

  it('turns the greatest long into never', () => {
    expect(logConfigFromProps({}, {}).flushMs).toBe(Infinity);
  });
});

describe('validateTopicConfig', () => {
  it.each([
    [{ 'no.such': '1' }, 'Unknown topic config name: no.such'],
    [{ 'segment.bytes': 'x' }, 'Invalid value x for configuration segment.bytes: Not a number of type INT'],
    [{ 'segment.bytes': '3' }, 'Invalid value 3 for configuration segment.bytes: Value must be at least 14'],
    [
      { preallocate: 'maybe' },
      'Invalid value maybe for configuration preallocate: Expected value to be either true or false',
    ],
    [
      { 'cleanup.policy': 'burn' },
      'Invalid value burn for configuration cleanup.policy: String must be one of: compact, delete',
    ],
    [
      { 'min.cleanable.dirty.ratio': '2' },
      'Invalid value 2.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1',
    ],
    [
      { 'min.compaction.lag.ms': '5', 'max.compaction.lag.ms': '4' },
      'conflict topic config setting min.compaction.lag.ms (5) > max.compaction.lag.ms (4)',
    ],
  ])('refuses %j', (settings, message) => {
    expect(() => {
      validateTopicConfig(settings);
    }).toThrow(message);
  });

  it('takes what is in order', () => {
    expect(() => {
      validateTopicConfig({
        'cleanup.policy': 'compact,delete',
        'retention.ms': '-1',
        'message.format.version': '2.6-IV0',
      });
    }).not.toThrow();
  });
});
