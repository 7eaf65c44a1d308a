#!/usr/bin/env node
import { logDirsCommand, runTool } from '../dist/index.js';

await runTool(logDirsCommand);
