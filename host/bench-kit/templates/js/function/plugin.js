// A function that answers requests. The host starts it and sends it requests over HTTP; the driver `handler` specifies the scenarios.
import { Fields, OutgoingBody, OutgoingResponse, ResponseOutparam } from 'wasi:http/types@0.2.12';

// A request, and the response that it must have. It is written down here and not computed, so that a comparison finds an error.
const REQUEST = 'the quick brown fox jumps over the lazy dog';
const RESPONSE = 'brown dog fox jumps lazy over quick the the';

const READ_BYTES = 65536n;
const WRITE_BYTES_MAX = 4096;

// The status and the body of the response. This is what to replace.
function respond(method, body) {
  if (method.tag !== 'post') return [405, 'use POST'];
  if (body === undefined) return [400, 'the body is incomplete'];
  return [200, body.split(' ').sort().join(' ')];
}

export const plugin = {
  describe() {
    const scenarios = ['cold-start', 'request'].map(overHttp);
    return { name: '{{name}}', version: '0.1.0', summary: 'Sorts words.', scenarios };
  },
};

// A scenario that the driver specifies, with this request and response.
function overHttp(name) {
  const text = (name, val) => {
    return { name, summary: '', unit: '', defaults: [{ tag: 'text', val }], domain: { tag: 'any' } };
  };
  return {
    name,
    driver: 'handler',
    family: '',
    summary: '',
    limit: undefined,
    parameters: [text('method', 'POST'), text('body', REQUEST), text('expect', RESPONSE)],
    metrics: [],
    requirements: [],
  };
}

export const incomingHandler = {
  handle(request, responseOut) {
    const [status, text] = respond(request.method(), bodyOf(request));
    const answer = new TextEncoder().encode(text);
    const response = new OutgoingResponse(new Fields());
    response.setStatusCode(status);
    const body = response.body();
    ResponseOutparam.set(responseOut, { tag: 'ok', val: response });
    const stream = body.write();
    for (let begin = 0; begin < answer.length; begin += WRITE_BYTES_MAX) {
      stream.blockingWriteAndFlush(answer.subarray(begin, begin + WRITE_BYTES_MAX));
    }
    stream[Symbol.dispose]();
    OutgoingBody.finish(body, undefined);
  },
};

// The body of a request as text; undefined if it is incomplete.
function bodyOf(request) {
  const body = request.consume();
  const stream = body.stream();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) text += decoder.decode(stream.blockingRead(READ_BYTES), { stream: true });
  } catch (error) {
    // The end of a stream is an error, too.
    return error.payload?.tag === 'closed' ? text + decoder.decode() : undefined;
  } finally {
    stream[Symbol.dispose]();
    body[Symbol.dispose]();
  }
}
