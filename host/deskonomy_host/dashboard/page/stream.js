// The page's two connections to its server: the stream of messages, and commands with the token.
// Here: connecting, and connecting again after a loss. Not here: what is done with messages (main.js, store.js).

const RETRY_MS = 1000;
const SILENCE_MS = 5000; // ten times the server's interval: then the connection is lost

// The address that the server printed ends in #token=...; the token stays in this tab, out of the address bar.
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  sessionStorage.setItem("token", given);
  history.replaceState(null, "", location.pathname);
}

/** Return whether this page may request changes; without a token it is read-only. */
export const mayChange = () => sessionStorage.getItem("token") !== null;

/**
 * Keep a connection to the stream for as long as the page is open.
 * @param {(message: Object) => void} onMessage called with each message
 * @param {(since: Date) => void} onLoss called when the connection is lost, or cannot be opened again
 * @param {() => void} onConnection called with each message, before onMessage
 */
export function connect(onMessage, onLoss, onConnection) {
  let lostSince = null;
  function open() {
    const socket = new WebSocket(`ws://${location.host}/api/stream`);
    let isOver = false;
    let watchdog;
    const retry = () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(watchdog);
      lostSince ??= new Date();
      onLoss(lostSince);
      setTimeout(open, RETRY_MS);
    };
    const restartWatchdog = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => {
        socket.close();
        retry();
      }, SILENCE_MS);
    };
    restartWatchdog();
    socket.onmessage = (event) => {
      if (isOver) return;
      restartWatchdog();
      lostSince = null;
      onConnection();
      onMessage(JSON.parse(event.data));
    };
    socket.onclose = retry;
  }
  open();
}

/**
 * Send a command to the server.
 * @param {string} command
 * @param {Object} fields the command's arguments
 * @returns {Promise<Object>} the server's reply
 * @throws {Error} with a message for the user
 */
export async function sendCommand(command, fields) {
  let response;
  try {
    response = await fetch(`/api/${command}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${sessionStorage.getItem("token")}` },
      body: JSON.stringify(fields),
    });
  } catch {
    throw new Error("The server does not answer.");
  }
  const reply = await response.json();
  if (response.status === 403) throw new Error("This page is read-only: open the address that the server printed.");
  if (!response.ok) throw new Error(reply.error);
  return reply;
}
