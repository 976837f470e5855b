// A page against axe (WCAG 2.2 AA and axe's own advice), and against what axe leaves out: 320 px and wider spacing, targets,
// forced colours, motion, and the live region.

import AxeBuilder from '@axe-core/playwright';
import { type Page, expect } from '@playwright/test';

import { type Spacing, animated, borderless, cut, moreThanOneLiveRegion, tooSmall } from './looks.ts';

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** 1280 px at a zoom of 400 %. */
const NARROW = { width: 320, height: 256 };

export async function expectAccessible(page: Page, what: string): Promise<void> {
  const found = [
    ...(await violations(page)),
    ...(await page.evaluate(tooSmall)),
    ...(await page.evaluate(moreThanOneLiveRegion)),
    ...(await whatIsCut(page)),
    ...(await whenNarrow(page)),
    ...(await whenForced(page)),
  ];
  expect.soft(found, what).toEqual([]);
}

/** What is no page of its own, as a mail: it has neither landmarks nor a main heading. */
export async function expectReadable(page: Page, what: string): Promise<void> {
  const found = [...(await violations(page, WCAG)), ...(await whatIsCut(page)), ...(await whenNarrow(page))];
  expect.soft(found, what).toEqual([]);
}

async function violations(page: Page, rules = [...WCAG, 'best-practice']): Promise<string[]> {
  // The design system puts the back link before the main landmark.
  const builder = new AxeBuilder({ page }).withTags(rules).exclude('.nhsuk-back-link');
  const { violations } = await builder.analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
}

async function whatIsCut(page: Page): Promise<string[]> {
  const found = [];
  for (const spacing of ['its own', 'wide'] as const) found.push(...(await page.evaluate<string[], Spacing>(cut, spacing)));
  return found;
}

async function whenNarrow(page: Page): Promise<string[]> {
  const before = page.viewportSize();
  await page.setViewportSize(NARROW);
  const found = [...(await whatIsCut(page)), ...(await page.evaluate(tooSmall))];
  if (before) await page.setViewportSize(before);
  return found.map((one) => `at ${NARROW.width} px: ${one}`);
}

/** Where the system forces its colours and wants no motion. */
async function whenForced(page: Page): Promise<string[]> {
  await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
  const found = [...(await page.evaluate(borderless)), ...(await page.evaluate(animated))];
  await page.emulateMedia({ forcedColors: null, reducedMotion: null });
  return found;
}
