// Starts the demo from the program in FELTBOK_BIN and walks it in a browser, as everybody who uses it.
// With FELTBOK_SHOTS set, a picture of every page at both widths is left in that folder. With FELTBOK_PICTURES set, only the
// way of somebody invited is walked, and its pictures are left in that folder.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openWalk, summary } from './lib.mjs';
import { participant } from './participant.mjs';
import { researcher } from './researcher.mjs';

const startMillis = 120_000;

// startDemo resolves with the links that the demo prints as its first line.
async function startDemo(dir) {
  const args = ['demo', '--dir', dir, '--addr', '127.0.0.1:0', '--json'];
  const demo = spawn(process.env.FELTBOK_BIN, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(demo, 'exit');
  gone.catch(() => {}); // read below, or by stopDemo
  const lines = createInterface({ input: demo.stdout });
  const late = setTimeout(() => demo.kill('SIGKILL'), startMillis);
  const first = await Promise.race([once(lines, 'line'), gone.then(() => null)]);
  clearTimeout(late);
  if (!first) throw new Error(`the demo ended, or printed nothing in ${startMillis / 1000} s`);
  return { demo, gone, links: JSON.parse(first[0]) };
}

async function stopDemo({ demo, gone }) {
  demo.kill('SIGTERM');
  const late = setTimeout(() => demo.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(late);
}

const dir = await mkdtemp(join(tmpdir(), 'feltbok-walk-'));
let server, walk;
try {
  server = await startDemo(dir);
  walk = await openWalk(server.links.url);
  if (process.env.FELTBOK_PICTURES) {
    await participant(walk, { invited: server.links.participants.invited });
  } else {
    await researcher(walk, server.links, 'researcher');
    await researcher(walk, server.links, 'supervisor');
    await participant(walk, server.links.participants);
  }
} catch (error) {
  if (walk) walk.problems.push({ page: 'the walk, which ended here', what: error.stack });
  else console.error(error);
  process.exitCode = 1;
} finally {
  await walk?.browser.close();
  if (server) await stopDemo(server);
  if (walk && !summary(walk)) process.exitCode = 1;
  await rm(dir, { recursive: true, force: true });
}
