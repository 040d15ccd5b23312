// Requests for a change, and their result as a notice on the page.

import { byId, setText } from "./format.js";
import { sendCommand } from "./stream.js";

const NOTICE_MS = 7000;
let timer;

/**
 * Send a command, and show a notice when the server has answered.
 * @param {string} command
 * @param {Object} fields the command's arguments
 * @param {string} done the notice if the command succeeds; else it is the error
 */
export async function request(command, fields, done) {
  try {
    await sendCommand(command, fields);
    showNotice(done);
  } catch (error) {
    showNotice(error.message, true);
  }
}

function showNotice(text, isError = false) {
  const notice = byId("notice");
  notice.classList.toggle("error", isError);
  setText(notice, text);
  clearTimeout(timer);
  timer = setTimeout(() => setText(notice, ""), NOTICE_MS);
}
