// Opens pages in a real browser and notes everything that is wrong with each. It knows the promises that hold for
// every page, and nothing of what any page is for: that is in researcher.mjs and participant.mjs.
//
// Problems are collected, not thrown, so that one run shows them all.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import { chromium } from 'playwright-core';
import { withPalette } from './png.mjs';

// Each page is judged on a telephone in light colours and on a desk in dark ones: colours do not depend on the width.
const views = [{ width: 360, colorScheme: 'light' }, { width: 1280, colorScheme: 'dark' }];
const narrowest = 320; // 1280 px at 400 % zoom
const wcag = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];
const timeoutMillis = 20_000;
const shots = process.env.FELTBOK_SHOTS;

// What every response must carry, errors and downloads too.
const headers = {
  'content-security-policy': /^default-src 'none';(?!.*unsafe-)/,
  'cross-origin-opener-policy': /^same-origin$/,
  'cross-origin-resource-policy': /^same-origin$/,
  'referrer-policy': /^same-origin$/,
  'x-content-type-options': /^nosniff$/,
  'x-frame-options': /^DENY$/,
  'x-robots-tag': /^noindex, nofollow, noarchive$/,
};

// page -> { walk, role, document: the response that the page was made from }
const tabs = new WeakMap();

// openWalk starts the browser for a server at base, such as http://127.0.0.1:8080.
export async function openWalk(base) {
  const programs = ['chromium', 'chromium-browser', 'google-chrome'];
  const paths = process.env.PATH.split(':').flatMap((dir) => programs.map((program) => join(dir, program)));
  const executablePath = paths.find(existsSync);
  if (!executablePath) throw new Error(`none of ${programs.join(', ')} in PATH`);
  if (shots) mkdirSync(shots, { recursive: true });
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
      // A page that asks for another host is a failure here, never traffic.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
  });
  return { browser, origin: new URL(base).origin, problems: [], judged: 0, passed: 0, failed: 0 };
}

// newPage gives a tab with cookies of its own, whose every request and message is watched.
export async function newPage(walk, role) {
  const context = await walk.browser.newContext({
    locale: 'nb-NO', timezoneId: 'Europe/Oslo',
    reducedMotion: 'reduce', // contrast is not measured in the middle of a fade
  });
  const page = await context.newPage();
  page.setDefaultTimeout(timeoutMillis);
  const tab = { walk, role, document: null };
  tabs.set(page, tab);
  page.on('console', (message) => {
    // Chromium also writes every status from 400 here, wanted or not: onResponse and visit judge those.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      report(page, `console: ${message.text()}`);
    }
  });
  page.on('pageerror', (error) => report(page, `script error: ${error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== walk.origin && !['data:', 'blob:', 'about:'].includes(url.protocol)) {
      report(page, `request to another origin: ${url.href}`);
    }
  });
  page.on('requestfailed', (request) => {
    // Aborted: the answer was a download, or the next page was opened meanwhile.
    const reason = request.failure()?.errorText;
    if (reason !== 'net::ERR_ABORTED') report(page, `request failed: ${path(request.url())} (${reason})`);
  });
  page.on('response', (response) => onResponse(page, tab, response));
  await context.exposeBinding('feltbokPolicy', (_, what) => report(page, `policy violation: ${what}`));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.feltbokPolicy(`${event.effectiveDirective} blocked ${event.blockedURI} ${event.sample}`);
    });
  });
  return page;
}

function onResponse(page, tab, response) {
  const request = response.request();
  const status = response.status();
  if (new URL(response.url()).origin !== tab.walk.origin || status === 304) return;
  const got = response.headers();
  const name = `${status} ${request.method()} ${path(response.url())}`;
  for (const [header, want] of Object.entries(headers)) {
    if (!want.test(got[header] ?? '')) report(page, `header ${header} is "${got[header] ?? ''}" on ${name}`);
  }
  if (!request.isNavigationRequest()) {
    if (status >= 400) report(page, `answered ${name}`);
    return;
  }
  if (!/no-store/.test(got['cache-control'] ?? '')) report(page, `no no-store on ${name}`);
  if (status < 300 || status >= 400) tab.document = response;
}

// visit judges the page that is open now. The name labels its screenshots; status is what the server should have said.
export async function visit(page, name, { status = 200 } = {}) {
  const { walk, role, document } = tabs.get(page);
  await page.waitForLoadState('load');
  await page.evaluate(() => document.fonts.ready.then(() => {}));
  if (document?.status() !== status) report(page, `status ${document?.status()}, want ${status}`);
  if (document) await inlineCode(page, await document.text());
  for (const what of await page.evaluate(structure)) report(page, what);
  if (shots) {
    for (const { width } of views) {
      await page.setViewportSize({ width, height: 800 });
      const file = `${role}-${name}`.replace(/[^\p{L}\p{N}-]+/gu, '_');
      await page.screenshot({ path: join(shots, `${file}-${width}.png`), fullPage: true });
    }
  }
  // What is folded away must hold too.
  await page.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
  await page.evaluate(axe.source);
  await page.setViewportSize({ width: narrowest, height: 800 });
  for (const what of await page.evaluate(sideways)) report(page, what);
  const found = new Map(); // problem -> widths
  for (const { width, colorScheme } of views) {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme });
    const here = [...await page.evaluate(sideways), ...await page.evaluate(accessibility, wcag)];
    for (const what of here) found.set(what, [...(found.get(what) ?? []), width]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  for (const [what, at] of found) report(page, `${what} (at ${at.join(' and ')} px)`);
  settle(walk);
}

// A page has failed when anything was noted since the page before it.
function settle(walk) {
  if (walk.problems.length > walk.judged) walk.failed++;
  else walk.passed++;
  walk.judged = walk.problems.length;
}

// pictures of a participant's way, for the documentation that the program hands out; see docs/developer.md.
const pictures = process.env.FELTBOK_PICTURES;

// picture keeps the open page as a telephone shows it.
export async function picture(page, name) {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  await page.evaluate(() => document.fonts.ready.then(() => {}));
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 360, height: 800 });
  writeFileSync(join(pictures, `${name}.png`), withPalette(await page.screenshot({ fullPage: true })));
}

// press clicks something that leads to a new page and waits for that page.
export async function press(page, locator) {
  await Promise.all([page.waitForEvent('load'), locator.click()]);
}

// pressFirst presses the first button of the page's own content.
export async function pressFirst(page) {
  await press(page, page.locator('main').locator('button, input[type=submit]').first());
}

// focusOnErrors throws if a page shown again does not start at what is wrong.
export async function focusOnErrors(page) {
  const focused = await page.evaluate(() => document.activeElement?.className ?? '');
  if (!focused.includes('errors')) throw new Error(`after an error the focus is on "${focused}", not on the summary`);
}

// crawl visits what the open page links to on this server, and what that links to: kinds of pages not seen yet first,
// then the nearest. Pages that differ only in an identifier or a language are of one kind: two of each are enough.
export async function crawl(page, limit = 100) {
  const { role } = tabs.get(page);
  const queue = await links(page);
  const queued = new Set(queue);
  const visited = new Map(); // kind -> pages
  const seen = (url) => visited.get(routePattern(url)) ?? 0;
  let pages = 0;
  while (queue.length > 0 && pages < limit) {
    const fresh = queue.findIndex((url) => seen(url) === 0);
    const [url] = queue.splice(Math.max(fresh, 0), 1);
    const kind = routePattern(url);
    const alike = seen(url) + 1;
    if (alike > 2 || !(await open(page, url))) continue;
    visited.set(kind, alike);
    pages++;
    await visit(page, `${kind}-${alike}`);
    for (const next of await links(page)) {
      if (!queued.has(next)) queue.push(next);
      queued.add(next);
    }
  }
  const left = queue.filter((url) => seen(url) < 2).length;
  console.log(`${role}: ${pages} pages crawled, ${visited.size} kinds${left ? `, ${left} links left at the limit` : ''}`);
}

// go opens a page of the same server by its path.
export async function go(page, path) {
  await page.goto(tabs.get(page).walk.origin + path);
}

// open reports whether the address is a page: a download is watched (its headers count) and left alone.
async function open(page, url) {
  try {
    await page.goto(url);
    return true;
  } catch (error) {
    if (/Download is starting|ERR_ABORTED/.test(error.message)) return false;
    throw error;
  }
}

// links leaves out those that change the language: the pages behind them are the same, and so are their words to axe.
async function links(page) {
  const { walk } = tabs.get(page);
  const all = await page.$$eval('a[href]:not([download])', (anchors) => anchors.map((a) => a.href));
  return [...new Set(all.map((href) => href.replace(/#.*/, '')))].filter((href) => {
    const url = new URL(href);
    const file = /\.(xlsx|zip|qdpx|json|ics|eml|pdf)$|\/pdf$/.test(url.pathname);
    return url.origin === walk.origin && !file && !url.searchParams.has('lang');
  });
}

function routePattern(href) {
  const url = new URL(href);
  const query = [...new Set(url.searchParams.keys())].sort().map((key) => `?${key}`).join('');
  return url.pathname.replace(/(?<=\/)[a-z0-9]{16,}(?=\/|$)/g, ':id')
    .replace(/(?<=\/)(nb|nn|en)(?=\/|$)/g, ':lang') + query;
}

// summary prints each problem once, with the pages that have it, and returns whether all is well.
export function summary(walk) {
  if (walk.problems.length > walk.judged) settle(walk);
  const pagesOf = new Map();
  for (const { page, what } of walk.problems) pagesOf.set(what, (pagesOf.get(what) ?? new Set()).add(page));
  for (const [what, pages] of pagesOf) {
    const [first, ...more] = pages;
    console.log(`\n${what}\n    on ${first}${more.length ? ` and ${more.length} more` : ''}`);
  }
  console.log(`\nbrowser: ${walk.passed} passed, ${walk.failed} failed`);
  return walk.failed === 0;
}

function report(page, what) {
  const { walk, role } = tabs.get(page);
  walk.problems.push({ page: `${role} ${path(page.url())}`, what });
}

function path(href) {
  const url = new URL(href);
  return url.pathname + url.search;
}

// From here on the code runs inside the page.

// inlineCode reads the page as it was served: what a script sets later through the object model is allowed.
async function inlineCode(page, html) {
  const found = await page.evaluate((source) => {
    const served = new DOMParser().parseFromString(source, 'text/html');
    const code = [...served.querySelectorAll('*')].filter((e) => (e.localName === 'script' && !e.hasAttribute('src'))
      || e.localName === 'style' || e.getAttributeNames().some((a) => a === 'style' || a.startsWith('on')
      || /^\s*javascript:/i.test(e.getAttribute(a))));
    return code.map((e) => e.outerHTML.slice(0, 120));
  }, html);
  for (const what of found) report(page, `inline script, style or handler: ${what}`);
}

function structure() {
  const problems = [];
  const want = (ok, what) => { if (!ok) problems.push(what); };
  want(document.documentElement.lang, 'no lang');
  want(document.title.trim(), 'no title');
  want(document.querySelector('meta[name=viewport]'), 'no viewport: a phone would show the page as on a desk');
  const headings = document.querySelectorAll('h1').length;
  want(headings === 1, `${headings} h1, want 1`);
  // A placeholder or a title is no label, though axe takes them.
  for (const field of document.querySelectorAll('input, select, textarea')) {
    if (['hidden', 'submit', 'button', 'reset'].includes(field.type)) continue;
    const by = (field.getAttribute('aria-labelledby') ?? '').split(/\s+/).map((id) => document.getElementById(id));
    const texts = [...(field.labels ?? []), ...by].map((label) => label?.textContent ?? '');
    const label = texts.join('') + (field.getAttribute('aria-label') ?? '');
    want(label.trim(), `no label: ${field.outerHTML.slice(0, 120)}`);
  }
  return problems;
}

function sideways() {
  const room = window.innerWidth;
  const wide = document.documentElement.scrollWidth;
  if (wide <= room) return [];
  const culprits = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > room + 1);
  const names = culprits.slice(0, 3).map((e) => e.cloneNode(false).outerHTML.slice(0, 80));
  return [`scrolls sideways, ${wide} px wide: ${names.join(' ')}`];
}

async function accessibility(tags) {
  const { violations } = await window.axe.run(document, { runOnly: tags, resultTypes: ['violations'] });
  return violations.map(({ id, help, nodes }) => {
    const where = nodes.slice(0, 3).map((node) => node.html.slice(0, 120));
    return `axe ${id}: ${help}: ${where.join(' ')}`;
  });
}
