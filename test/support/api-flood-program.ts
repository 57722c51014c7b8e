// node api-flood-program.js URL CONNECTIONS: asks until SIGTERM, then prints how many answers it got.
import { Agent, get } from 'node:http';

const [, , url = '', connections = ''] = process.argv;
const PATHS = ['/api/site', '/api/events?limit=500', '/'];
/** While nobody listens. */
const RETRY_MS = 20;

const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });
let answers = 0;
let asked = 0;

function ask(): void {
  get(`${url}${PATHS[asked++ % PATHS.length]}`, { agent }, (response) => {
    response.resume().once('close', () => {
      answers += 1;
      ask();
    });
  }).once('error', () => setTimeout(ask, RETRY_MS));
}

process.once('SIGTERM', () => {
  process.stdout.write(String(answers), () => process.exit(0));
});
for (let client = 0; client < Number(connections); client++) ask();
