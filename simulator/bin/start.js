#!/usr/bin/env node
import '../dist/live/main.js';
