#!/usr/bin/env node
import { deleteRecordsCommand, runTool } from '../dist/index.js';

await runTool(deleteRecordsCommand);
