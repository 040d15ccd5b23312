// Asking for a change, and saying in the page how it went.

import { byId, say } from "./format.js";
import { ask } from "./stream.js";

const SHOWN_MS = 7000;
let fading;

/** Ask for something and say how it went. */
export async function request(command, words, done) {
  try {
    await ask(command, words);
    report(done);
  } catch (error) {
    report(error.message, true);
  }
}

function report(text, wrong = false) {
  const line = byId("said");
  line.classList.toggle("wrong", wrong);
  say(line, text);
  clearTimeout(fading);
  fading = setTimeout(() => say(line, ""), SHOWN_MS);
}
