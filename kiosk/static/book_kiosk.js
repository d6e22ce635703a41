// The book on a kiosk: it goes back to the kiosk's own page when nobody is there any more, and leaves nothing behind.
import { fill, forgetAll } from "./paper.js";

const IDLE = 90_000;
const WARN = 15_000;
const THANKS = 60_000;
const SECOND = 1_000;
const LIFE = ["pointerdown", "keydown", "input", "scroll"];

export const home = document.documentElement.dataset.kiosk ?? null;

/** Go back to the kiosk's page; what was typed goes with this one. */
export function leave() {
  for (const form of document.forms) form.reset();
  for (const field of document.querySelectorAll("textarea, input[type=text]")) field.value = "";
  forgetAll();
  location.replace(home);
}

/** Count down in sight of whoever is still there, then leave. */
function watch() {
  const box = document.querySelector("[data-still]");
  const line = box.querySelector("[data-seconds]");
  let ends = 0;
  let timer = 0;

  function look() {
    const left = Math.ceil((ends - Date.now()) / SECOND);
    if (left <= 0) return leave();
    box.hidden = left * SECOND > WARN;
    line.textContent = fill(line.dataset.seconds, { seconds: left });
    timer = setTimeout(look, SECOND);
    return undefined;
  }

  function rest() {
    clearTimeout(timer);
    ends = Date.now() + IDLE + WARN;
    box.hidden = true;
    look();
  }

  for (const type of LIFE) document.addEventListener(type, rest, { passive: true });
  rest();
}

/** Leave in a minute, whatever happens: what stands here is one person's own. */
export function leaveSoon() {
  setTimeout(leave, THANKS);
}

/** Follow a link only where it leads somewhere: a kiosk must never stand on the browser's own page of errors. */
async function follow(event) {
  const link = event.target.closest("a[href]:not([href^='#'])");
  if (!link) return;
  event.preventDefault();
  const there = await fetch(link.href, { cache: "no-store" }).then(({ ok }) => ok, () => false);
  if (there) location.replace(link.href);
}

if (home) {
  document.addEventListener("click", follow);
  document.addEventListener("click", ({ target }) => target.closest("[data-leave]") && leave());
  addEventListener("pageshow", (event) => event.persisted && leave());
  if (document.querySelector("[data-still]")) watch();
}
