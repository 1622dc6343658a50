// What a participant sees, from a personal link on: one person for each kind of link.
import { crawl, newPage, pressFirst, visit } from './lib.mjs';

const pagesEach = 15;

export async function participant(walk, links) {
  for (const [kind, link] of Object.entries(links)) {
    const page = await newPage(walk, kind);
    await page.goto(link);
    await visit(page, 'link');
    await pressFirst(page);
    await visit(page, 'first');
    await crawl(page, pagesEach);
    await page.context().close();
  }
}
