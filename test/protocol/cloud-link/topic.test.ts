import t from 'tap';
import { downFilter, downTopic, readDownTopic, readUpTopic, upTopic } from '@sparc/protocol/cloud-link';

const carrier = {
  tenant: '0b9e8f7a-1c2d-4e3f-8a9b-0c1d2e3f4a5b',
  site: 'harbour',
  gateway: 'ab'.repeat(32),
};

t.test('a topic says who speaks and what, and only one of a gateway does', async (t) => {
  const topic = upTopic(carrier, 'hello');
  t.strictSame(readUpTopic(topic), { carrier, what: 'hello' });
  for (const foreign of [
    `${topic}/more`,
    topic.replace('/up/', '/down/'),
    topic.replace('hello', 'shout'),
    topic.replace('harbour', 'har/bour'),
    topic.replace('harbour', '+'),
    topic.replace('sparc/1', 'sparc/2'),
    topic.replace(carrier.gateway, 'AB'.repeat(32)),
    `$share/${topic}`,
    '',
  ]) {
    t.equal(readUpTopic(foreign), undefined, foreign);
  }
});

t.test('a gateway takes what is said to itself, and nothing else', async (t) => {
  t.equal(readDownTopic(carrier, downTopic(carrier, 'ack')), 'ack');
  t.equal(readDownTopic({ ...carrier, gateway: 'cd'.repeat(32) }, downTopic(carrier, 'ack')), undefined);
  t.equal(readDownTopic(carrier, upTopic(carrier, 'hello')), undefined);
  t.equal(downFilter(carrier), downTopic(carrier, 'ack').replace('/ack', '/+'));
});
