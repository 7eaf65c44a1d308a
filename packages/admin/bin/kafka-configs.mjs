#!/usr/bin/env node
import { configCommand, runTool } from '../dist/index.js';

await runTool(configCommand);
