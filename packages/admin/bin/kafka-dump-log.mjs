#!/usr/bin/env node
import { dumpLogCommand, runTool } from '../dist/index.js';

await runTool(dumpLogCommand);
