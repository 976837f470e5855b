// Takes the pictures that the READMEs show: `with-pcscd npx playwright test --config pictures/pictures.config.ts`.

import { defineConfig } from '@playwright/test';

import tests from '../playwright.config.ts';

export default defineConfig({ ...tests, testDir: '.', testMatch: '*.picture.ts', outputDir: '../test-results' });
