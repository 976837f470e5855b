// What is looked at inside a page; each function runs there, and gives what it finds fault with.

/** Targets below 24 px (WCAG 2.5.8), and buttons below 44. Links within a sentence may be smaller. */
export function tooSmall(): string[] {
  const TARGETS = 'a[href], button, summary, select, textarea, input:not([type=hidden])';
  const BLOCKS = 'p, li, dd, td, th, h1, h2, h3, summary, label, section, div';
  const isInSentence = (link: Element) => {
    const block = link.closest(BLOCKS);
    if (!block) return false;
    const texts = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const inTarget = texts.currentNode.parentElement?.closest(TARGETS);
      if (!inTarget && texts.currentNode.textContent?.trim()) return true;
    }
    return false;
  };
  const found: string[] = [];
  for (const target of document.querySelectorAll<HTMLElement>(TARGETS)) {
    const { width, height } = target.getBoundingClientRect();
    // Not shown, or not before it has the focus.
    if (width <= 1 || height <= 1) continue;
    if (target instanceof HTMLAnchorElement && isInSentence(target)) continue;
    const least = target.matches('.nhsuk-button:not(.nhsuk-button--small)') ? 44 : 24;
    if (height < least || width < 24) found.push(`${width}×${height} px: ${target.outerHTML.slice(0, 120)}`);
  }
  return found;
}

/** The spacing of text: the page's own, or the one that everybody must be able to set (WCAG 1.4.12). */
export type Spacing = 'its own' | 'wide';

/** What reaches beyond the page or is cut off, and boxes that scroll without a name or the keyboard. */
export function cut(spacing: Spacing): string[] {
  const wide = new CSSStyleSheet();
  wide.replaceSync(
    '* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }' +
      'p { margin-bottom: 2em !important }',
  );
  const before = [...document.adoptedStyleSheets];
  if (spacing === 'wide') document.adoptedStyleSheets = [...before, wide];
  const found: string[] = [];
  const name = (element: Element) => element.outerHTML.slice(0, 120);
  const { clientWidth, scrollWidth } = document.documentElement;
  const isBox = (element: Element) => /auto|scroll/.test(getComputedStyle(element).overflowX);
  const isInBox = (element: Element | null): boolean =>
    element !== null && element !== document.body && (isBox(element) || isInBox(element.parentElement));
  if (scrollWidth > clientWidth) {
    const all = [...document.body.querySelectorAll('*')];
    const culprits = all.filter((one) => one.getBoundingClientRect().right > clientWidth + 1 && !isInBox(one));
    found.push(`${scrollWidth} px wide: ${culprits.slice(-2).map(name).join(' | ')}`);
  }
  for (const element of document.body.querySelectorAll<HTMLElement>('*')) {
    const { overflowX, overflowY } = getComputedStyle(element);
    const isWide = element.scrollWidth > element.clientWidth + 1 && overflowX !== 'visible';
    const isHigh = element.scrollHeight > element.clientHeight + 1 && overflowY !== 'visible';
    // What is only heard is 1 px in size; what is typed or chosen scrolls by itself.
    if ((!isWide && !isHigh) || element.clientWidth <= 1 || element.matches('input, select, textarea, dialog')) continue;
    const hasName = element.hasAttribute('aria-label') || element.hasAttribute('aria-labelledby');
    const isReached = isBox(element) && element.tabIndex === 0 && hasName;
    if (!isReached) found.push(`cut off, or scrolls and is not reached: ${name(element)}`);
  }
  document.adoptedStyleSheets = before;
  return found.map((one) => (spacing === 'wide' ? `with wide spacing: ${one}` : one));
}

/** Fields and buttons without a border, and drawings that keep their colours, where the system forces its own. */
export function borderless(): string[] {
  const found: string[] = [];
  const FIELDS = 'button, .nhsuk-button, .nhsuk-tag, select, textarea, .nhsuk-input, .nhsuk-radios__label';
  for (const field of document.querySelectorAll<HTMLElement>(FIELDS)) {
    if (!field.checkVisibility()) continue;
    const { borderTopStyle, borderTopWidth } = getComputedStyle(field, field.matches('label') ? '::before' : undefined);
    const hasBorder = borderTopStyle !== 'none' && parseFloat(borderTopWidth) > 0;
    if (!hasBorder) found.push(`no border in forced colours: ${field.outerHTML.slice(0, 120)}`);
  }
  const { color } = getComputedStyle(document.body);
  for (const line of document.querySelectorAll('svg :is(line, polyline)')) {
    if (getComputedStyle(line).stroke !== color) found.push(`not in forced colours: ${line.outerHTML.slice(0, 120)}`);
  }
  for (const text of document.querySelectorAll('svg text')) {
    if (getComputedStyle(text).fill !== color) found.push(`not in forced colours: ${text.outerHTML.slice(0, 120)}`);
  }
  return found;
}

/** What moves although motion is not wanted. */
export function animated(): string[] {
  const found: string[] = [];
  const lasts = (durations: string) => durations.split(',').some((duration) => parseFloat(duration) > 0);
  for (const element of document.querySelectorAll('*')) {
    for (const part of [undefined, '::before', '::after']) {
      const { transitionDuration, animationDuration, animationName, scrollBehavior } = getComputedStyle(element, part);
      const moves = lasts(transitionDuration) || (animationName !== 'none' && lasts(animationDuration));
      if (moves || scrollBehavior === 'smooth') found.push(`moves: ${element.outerHTML.slice(0, 120)} ${part ?? ''}`);
    }
  }
  return found;
}

/** Live regions beyond the one for all pages. */
export function moreThanOneLiveRegion(): string[] {
  const regions = [...document.querySelectorAll('[role=status], [role=log], [aria-live], output')];
  return regions.length > 1 ? regions.map((region) => `one of several live regions: ${region.outerHTML.slice(0, 120)}`) : [];
}
