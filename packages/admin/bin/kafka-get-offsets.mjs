#!/usr/bin/env node
import { getOffsetsCommand, runTool } from '../dist/index.js';

await runTool(getOffsetsCommand);
