// The helper window: passes messages between the page that opened it and the bridge.
// What is said to that page, and by it, is described in the crate card-protocol, module relay.

'use strict';

const ASKING = 'card-bridge: asking';
const READY = 'card-bridge: ready';
const HERE = 'card-bridge: here';
const CONNECT = 'card-bridge: connect';

/** How often to say that the window is there, and after how long without an answer it is of no more use. */
const EVERY = 1_000;
const GONE_AFTER = 60_000;

/** The ports that pages are connected through. */
const ports = new Set();

document.querySelector('h1').focus();

// A page is not told by its port that the other end has gone.
window.addEventListener('pagehide', () => ports.forEach((port) => port.postMessage('closed 1001')));

const { asking, origin, denied } = document.body.dataset;
if (denied !== undefined) window.close();
if (asking) say(ASKING, asking);
if (origin) serve(origin);

/** Says something to the page at once, and every second. */
function say(what, origin) {
  const speak = () => window.opener?.postMessage(what, origin);
  setInterval(speak, EVERY);
  speak();
}

function serve(origin) {
  let heard = Date.now();
  const speak = () => {
    if (!window.opener || window.opener.closed || Date.now() - heard > GONE_AFTER) return window.close();
    window.opener.postMessage(READY, origin);
  };
  window.addEventListener('message', (event) => {
    if (event.origin !== origin || event.source !== window.opener) return;
    heard = Date.now();
    if (event.data === HERE) return;
    if (event.data === CONNECT && event.ports.length === 1) connect(origin, event.ports[0]);
  });
  setInterval(speak, EVERY);
  speak();
}

/** Opens a websocket for a port. */
async function connect(origin, port) {
  const query = new URLSearchParams({ origin });
  const answer = await fetch(`/relay/token?${query}`, { method: 'POST' }).catch(() => undefined);
  if (!answer) return port.postMessage('closed 1006');
  // Not allowed any more: the bridge was started again. The question is asked anew.
  if (!answer.ok) return location.reload();
  const token = new URLSearchParams({ token: await answer.text() });
  ports.add(port);
  const socket = new WebSocket(`ws://${location.host}/relay/socket?${token}`, 'card-bridge.v1');
  socket.onopen = () => port.postMessage('opened');
  socket.onmessage = ({ data }) => port.postMessage(`said ${data}`);
  socket.onclose = ({ code }) => {
    ports.delete(port);
    port.postMessage(`closed ${code}`);
  };
  port.onmessage = ({ data }) => {
    if (data === 'close') return socket.close();
    if (data.startsWith('said ') && socket.readyState === WebSocket.OPEN) socket.send(data.slice('said '.length));
  };
}
