// What a researcher does, and what a supervisor sees, from the sign-in link on.
import { crawl, focusOnErrors, go, newPage, press, pressFirst, visit } from './lib.mjs';

const deeds = [candidate, name, call, snowball, tip, coding, results, exporting, languages];

export async function researcher(walk, links, role) {
  const page = await newPage(walk, role);
  await page.goto(links[role]);
  await visit(page, 'link');
  await pressFirst(page);
  await visit(page, 'first');
  await crawl(page);
  for (const deed of role === 'researcher' ? deeds : [nobody]) await deed(page, links);
  await page.context().close();
}

// candidate hands in an empty form, gets it back with what was typed, and mends it.
async function candidate(page, { study }) {
  await go(page, `${study}/candidates/new`);
  const save = page.locator('main form button').last();
  await page.locator('[name=title]').fill('Prosjektleder');
  await press(page, save);
  await visit(page, 'candidate-refused', { status: 422 });
  await focusOnErrors(page);
  const kept = await page.locator('[name=title]').inputValue();
  if (kept !== 'Prosjektleder') throw new Error(`the form came back with the title "${kept}"`);
  await page.locator('[name=case]').selectOption({ index: 1 });
  await page.locator('[name=source]').selectOption({ index: 1 });
  for (const choice of ['relation', 'audience']) await page.locator(`[name=${choice}]`).first().check();
  await page.locator('[name=name]').fill('Nora Nykandidat');
  await press(page, save);
  await visit(page, 'candidate-added');
}

// name opens one, which the page itself did not show.
async function name(page, { study }) {
  await go(page, `${study}/candidates`);
  await press(page, page.locator('table a.code').first());
  await page.locator('form[action$="/name"] [name=purpose]').first().check();
  await press(page, page.locator('form[action$="/name"] button'));
  await visit(page, 'name-opened');
}

// call opens a number, logs what came of it, and takes that back.
async function call(page, { study }) {
  await go(page, `${study}/candidates`);
  const person = (await page.locator('table a.code').first().getAttribute('href')).split('/').pop();
  await go(page, `${study}/calls?row=${person}`);
  await visit(page, 'call');
  await press(page, page.locator('#row form[action$="/number"] button'));
  await visit(page, 'number-opened');
  await page.locator('[name=note]').fill('Sentralbordet tok den.');
  await page.locator('[name=next_on]').press('Enter'); // chooses nothing
  if (!await page.locator('#row .opened').count()) throw new Error('Enter chose an outcome');
  await press(page, page.locator('button[value=no_answer]'));
  await visit(page, 'call-logged');
  await press(page, page.locator('form[action$="/undo"] button'));
  await visit(page, 'call-undone');
}

// snowball makes an invitation for an informant to pass on, and looks at the tree.
async function snowball(page, { study }) {
  await go(page, `${study}/referrals`);
  await visit(page, 'snowball');
  await press(page, page.locator('.branch a.code').first());
  await press(page, page.locator('a[href$="/coupons"]'));
  await page.locator('[name=show][value=no]').check();
  await press(page, page.locator('main form button').last());
  await visit(page, 'coupons');
}

// tip opens one, and gets the form back that would take it in.
async function tip(page, { study }) {
  await go(page, `${study}/tips`);
  await press(page, page.locator('main table a').first());
  await page.locator('form[action$="/open"] [name=purpose]').first().check();
  await press(page, page.locator('form[action$="/open"] button'));
  await visit(page, 'tip-opened');
  await press(page, page.locator('main .opened a.btn'));
  await page.locator('details summary').click();
  await press(page, page.locator('form[action$="/enrol"] button'));
  await visit(page, 'tip-refused', { status: 422 });
  await focusOnErrors(page);
}

async function coding(page, { study }) {
  await go(page, `${study}/coding`);
  await press(page, page.locator('thead a').first());
  await visit(page, 'coding-one');
  await page.locator('fieldset').first().locator('input[value=o]').check();
  await pressFirst(page);
  await visit(page, 'coded');
}

async function results(page, { survey }) {
  await go(page, `${survey}/results`);
  await visit(page, 'results');
}

// exporting forgets to choose and is told so.
async function exporting(page, { study }) {
  await go(page, `${study}/export`);
  await visit(page, 'export');
  await pressFirst(page);
  await visit(page, 'export-refused', { status: 422 });
  await focusOnErrors(page);
}

async function languages(page, { study }) {
  for (const lang of ['nn', 'en', 'nb']) {
    await go(page, `${study}?lang=${lang}`);
    await visit(page, `home-${lang}`);
  }
}

// nobody: a supervisor's study home leads to no person.
async function nobody(page, { study }) {
  await go(page, study);
  const people = await page.locator('a[href*="/people/"]').count();
  if (people) throw new Error(`the supervisor's study home has ${people} links to people`);
}
