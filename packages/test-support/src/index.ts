export {
  describeWithReference,
  readReferenceJson,
  readReferenceLines,
  referenceFile,
  referenceHome,
} from './reference.ts';
