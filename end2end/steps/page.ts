// What all pages have in common.

import { type Page, expect } from '@playwright/test';

declare global {
  interface Window {
    /** Set once the page was taken over by its script. */
    takenOver?: boolean;
  }
}

/**
 * Notes when a page is taken over by its script. Buttons of a page that was rendered on the server do nothing before.
 * It is when one of them gets its listener; on a page without any, a while after the last code was loaded.
 */
export function noteTakeOver(): void {
  const done = () => (window.takenOver = true);
  const listen = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (this: EventTarget, type: string, ...rest) {
    if (this instanceof Element && (type === 'click' || type === 'submit')) setTimeout(done);
    return listen.call(this, type, ...rest);
  };
  let timer: ReturnType<typeof setTimeout>;
  let underWay = 0;
  const watched = <T>(loading: Promise<T>): Promise<T> => {
    clearTimeout(timer);
    underWay += 1;
    // What fails stays under way: it takes nothing over.
    void loading.then(() => (underWay -= 1) === 0 && (timer = setTimeout(done, 1_000)), () => undefined);
    return loading;
  };
  // The first code comes by the one, what a page has besides by the others.
  const { instantiateStreaming, compileStreaming, instantiate } = WebAssembly;
  WebAssembly.instantiateStreaming = (source, imports) => watched(instantiateStreaming(source, imports));
  WebAssembly.compileStreaming = (source) => watched(compileStreaming(source));
  WebAssembly.instantiate = ((...of: Parameters<typeof instantiate>) =>
    watched<unknown>(instantiate(...of))) as typeof instantiate;
}

/** Opens a page and waits until it is taken over. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await takenOver(page);
}

/** Loads the page again and waits until it is taken over. */
export async function reload(page: Page): Promise<void> {
  await page.reload();
  await takenOver(page);
}

export async function takenOver(page: Page): Promise<void> {
  await page.waitForFunction(() => window.takenOver === true);
}

export async function expectHeading(page: Page, text: string): Promise<void> {
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(new RegExp(`${escaped(text)}$`));
}

/** A step of several: what its heading says, and which it is. */
export interface Step {
  heading: string;
  caption: string;
}

export async function expectStep(page: Page, { heading, caption }: Step): Promise<void> {
  await expectHeading(page, heading);
  await expect(page.locator('h1 .nhsuk-caption-l')).toHaveText(caption);
  await expect(page).toHaveTitle(`${heading} – ${caption} – Smartcard Service Centre`);
}

/** Expects a sentence in the error summary, which is focused, and beside the field that it is about. */
export async function expectFieldError(page: Page, label: string, sentence: string): Promise<void> {
  const summary = page.locator('.nhsuk-error-summary');
  await expect(summary).toContainText('There is a problem');
  await expect(summary.getByRole('link', { name: sentence })).toBeVisible();
  await expect(summary).toBeFocused();
  await expect(page).toHaveTitle(/^Error: /);
  const field = page.getByLabel(label, { exact: true });
  await expect(field).toHaveAccessibleDescription(new RegExp(escaped(sentence)));
  await summary.getByRole('link', { name: sentence }).click();
  await expect(field).toBeFocused();
}

/** Expects what the reader panel says. */
export async function expectReader(page: Page, headline: string): Promise<void> {
  await expect(page.locator('.app-reader-panel__headline')).toHaveText(headline);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
