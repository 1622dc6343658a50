// What a participant does, from a personal link on: one person for each kind of link.
import { crawl, focusOnErrors, go, newPage, picture, press, pressFirst, visit } from './lib.mjs';

const pagesEach = 15;

const journeys = { invited, survey, 'took part': passing, 'passed on': friend };

export async function participant(walk, links) {
  for (const [kind, link] of Object.entries(links)) {
    const page = await newPage(walk, kind);
    await page.goto(link);
    if (kind === 'invited') await picture(page, '1-landing');
    await visit(page, 'link');
    if (kind !== 'passed on') { // every other link opens a page with one button
      await pressFirst(page);
      if (kind === 'invited') await picture(page, '2-letter');
      await visit(page, 'first');
    }
    await journeys[kind]?.(page);
    await crawl(page, pagesEach);
    await page.context().close();
  }
}

const submit = (page) => press(page, page.locator('main form button').first());

// invited reads the letter, forgets to answer, answers, and picks a time.
async function invited(page) {
  await press(page, page.locator('main a[href="/my/consent"]').first());
  await picture(page, '3-consent');
  await visit(page, 'consent');
  await submit(page);
  await visit(page, 'consent-missing', { status: 422 });
  await focusOnErrors(page);
  for (const yes of await page.locator('main input[type=radio][value=yes]').all()) await yes.check();
  await submit(page);
  await picture(page, '4-time');
  await visit(page, 'time');
  await page.locator('main input[name=slot]').first().check();
  await submit(page);
  await picture(page, '5-confirmed');
  await visit(page, 'booked');
  await go(page, '/my');
  await picture(page, '6-mine');
  await visit(page, 'mine');
  await go(page, '/my/withdraw');
  await picture(page, '7-withdraw');
  await visit(page, 'withdraw');
}

// passing makes an invitation to pass on, after forgetting to say whether to be named, and copies its text.
async function passing(page) {
  await go(page, '/my/pass');
  await visit(page, 'pass');
  await press(page, page.locator('main form button').last());
  await visit(page, 'pass-missing', { status: 422 });
  await focusOnErrors(page);
  await page.locator('[name=network]').fill('40');
  await page.locator('[name=show][value=no]').check();
  await press(page, page.locator('main form button').last());
  await visit(page, 'pass-made');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.locator('[data-copy]').first().click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  if (!copied.includes('/i/')) throw new Error(`copied "${copied}", and no link`);
}

// friend opens an invitation, forgets everything, says yes, and finds it used up.
async function friend(page) {
  const link = page.url();
  await submit(page);
  await visit(page, 'missing', { status: 422 });
  await focusOnErrors(page);
  await page.locator('[name=answer][value=yes]').check();
  await page.locator('[name=name]').fill('Frida Tenkt');
  await page.locator('[name=email]').fill('frida@example.org');
  await submit(page);
  await visit(page, 'thanks');
  await page.goto(link);
  await visit(page, 'used', { status: 404 });
}

// survey says yes, answers every page's first question, looks over the answers and sends them.
async function survey(page) {
  await page.locator('main input[name=consent_survey][value=yes]').check();
  await submit(page);
  for (let n = 1; page.url().includes('/survey/page/'); n++) {
    const first = page.locator('main input[type=radio]').first();
    if (await first.count()) await first.check();
    await visit(page, `page-${n}`);
    await press(page, page.locator('main button[value=next]'));
  }
  await visit(page, 'review');
  await press(page, page.locator('main form[action="/survey/submit"] button').first());
  await visit(page, 'thanks');
}
