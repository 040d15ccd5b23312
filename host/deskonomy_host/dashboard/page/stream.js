// The page's two ways to its server: the stream of what happens, and commands with the token.
// Here: connecting, and again after a loss. Not here: what is done with what comes.

const RETRY_MS = 1000;
const SILENCE_MS = 5000; // the server speaks twice a second

// The address that the server printed ends in #token=...; it stays with this tab, and out of what is shown and sent.
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  sessionStorage.setItem("token", given);
  history.replaceState(null, "", location.pathname);
}

/** Whether this page may ask for changes; without a token it only looks. */
export const mayWrite = () => sessionStorage.getItem("token") !== null;

/** Listen for ever. hear(message) gets each message, lost(since, a Date) and found() tell of the connection. */
export function listen(hear, lost, found) {
  let since = null;
  function connect() {
    const socket = new WebSocket(`ws://${location.host}/api/stream`);
    let over = false;
    let watchdog;
    const again = () => {
      if (over) return;
      over = true;
      clearTimeout(watchdog);
      since ??= new Date();
      lost(since);
      setTimeout(connect, RETRY_MS);
    };
    const patience = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => {
        socket.close();
        again();
      }, SILENCE_MS);
    };
    patience();
    socket.onmessage = (event) => {
      if (over) return;
      patience();
      if (since !== null) since = null;
      found();
      hear(JSON.parse(event.data));
    };
    socket.onclose = again;
  }
  connect();
}

/** Have the server do something; its reply. Throws an Error with words for people. */
export async function ask(command, words) {
  let response;
  try {
    response = await fetch(`/api/${command}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${sessionStorage.getItem("token")}` },
      body: JSON.stringify(words),
    });
  } catch {
    throw new Error("The server does not answer.");
  }
  const reply = await response.json();
  if (response.status === 403) throw new Error("This page may only look: open the address that the server printed.");
  if (!response.ok) throw new Error(reply.error);
  return reply;
}
