// What a researcher sees, from the sign-in link on.
import { crawl, newPage, pressFirst, visit } from './lib.mjs';

export async function researcher(walk, link, role = 'researcher') {
  const page = await newPage(walk, role);
  await page.goto(link);
  await visit(page, 'link');
  await pressFirst(page);
  await visit(page, 'first');
  await crawl(page);
  await page.context().close();
}
