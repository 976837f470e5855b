// What a person does who has a keyboard and nothing else. Whatever has the focus shows it.

import { type Locator, type Page, expect } from '@playwright/test';

/** More stops than any page has. */
const MANY = 80;

/** All by which an element with the focus can look otherwise: its own, that of what is in it, and of its label. */
function look(element: Element): string {
  const ofPart = (part: Element, pseudo?: string) => {
    const style = getComputedStyle(part, pseudo);
    const { outlineStyle, outlineWidth, outlineColor, boxShadow, backgroundColor, borderTopColor, borderTopWidth } = style;
    const isOutlined = outlineStyle !== 'none' && outlineWidth !== '0px' && !outlineColor.endsWith(', 0)');
    const outline = isOutlined ? `${outlineStyle} ${outlineWidth} ${outlineColor}` : '';
    const border = borderTopWidth === '0px' ? '' : `${borderTopWidth} ${borderTopColor}`;
    return [outline, boxShadow, backgroundColor, border].join(' / ');
  };
  const labels = [...((element as HTMLInputElement).labels ?? [])];
  const parts = [element, ...element.querySelectorAll('*')].map((part) => ofPart(part));
  return [...parts, ...labels.map((label) => ofPart(label, '::before'))].join('\n');
}

/** Presses Tab or Shift+Tab. What had the focus looked otherwise than it does without. */
export async function tab(page: Page, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  const left = await page.evaluateHandle(() => document.activeElement ?? document.body);
  const focused = await left.evaluate(look);
  await page.keyboard.press(key);
  const name = await left.evaluate((element) => element.outerHTML.slice(0, 120));
  // The browser shows by itself in which part of a date it is.
  const isOurs = await left.evaluate((element) => !element.matches('body, [type=date]'));
  if (isOurs) expect.soft(await left.evaluate(look), `the focus shows on ${name}`).not.toBe(focused);
}

/** Goes where something is. */
export async function tabTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  for (let presses = 0; presses < MANY; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await tab(page, key);
  }
  throw new Error(`${target} is not reached by ${key}`);
}

/** Goes through all stops of a page, from its beginning. */
export async function tabThrough(page: Page): Promise<void> {
  for (let presses = 0; presses < MANY; presses += 1) {
    await tab(page);
    if (await page.evaluate(() => document.activeElement === document.body)) return;
  }
  throw new Error('the page does not end');
}

export async function press(page: Page, name: string): Promise<void> {
  await tabTo(page, page.getByRole('button', { name, exact: true }).first());
  await page.keyboard.press('Enter');
}

export async function follow(page: Page, name: string): Promise<void> {
  await tabTo(page, page.getByRole('link', { name, exact: true }));
  await page.keyboard.press('Enter');
}

export async function type(page: Page, field: Locator, text: string): Promise<void> {
  await tabTo(page, field);
  await page.keyboard.type(text);
  await expect(field).toHaveValue(text);
}

export async function paste(page: Page, field: Locator, text: string): Promise<void> {
  await tabTo(page, field);
  await page.evaluate((text) => navigator.clipboard.writeText(text), text);
  await page.keyboard.press('ControlOrMeta+V');
  await expect(field).toHaveValue(text);
}
