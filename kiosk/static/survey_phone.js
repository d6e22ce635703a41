// Answers on the shopper's phone: kept in the kiosk's outbox until the server has them, and sent by the kiosk's sender
// whenever one of our pages is open. Where the browser keeps nothing, `box` is null and forms are posted as ever.
import { fill } from "./paper.js";

const PATIENCE = 2_500;
const TIMEOUT = 8_000;
// Another page of ours is at it, or the server has answered already.
const UNDER_WAY = ["sent", "elsewhere"];

export const phone = JSON.parse(document.getElementById("phone").textContent);
export const box = openBox().catch(() => null);

/** Resolve as a promise does, or with `otherwise` where that takes longer than a shopper waits. */
function within(promise, otherwise = null) {
  return Promise.race([promise, new Promise((resolve) => setTimeout(resolve, PATIENCE, otherwise))]);
}

function load(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.async = false; // one after the other, as they stand
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
}

async function openBox() {
  if (!window.isSecureContext || !window.indexedDB) return null;
  await Promise.all(phone.scripts.map(load));
  const outbox = window.otklik.outbox();
  await outbox.count(); // a private window may refuse it
  const sender = window.otklik.sender(phone.send_to, outbox);
  await tellOfEarlier(outbox);
  sender.start();
  return { outbox, sender };
}

/** Say what becomes of answers that an earlier visit left on this phone. */
async function tellOfEarlier(outbox) {
  const line = document.querySelector("[data-earlier]");
  const waiting = new Set((await outbox.all("items")).map(({ id }) => id));
  const say = (text) => {
    line.textContent = text;
    line.hidden = false;
  };
  if (waiting.size) say(phone.words.waiting);
  outbox.onSettled(({ id, status, message }) => {
    if (!waiting.delete(id)) return;
    if (status !== "rejected") return void (waiting.size || say(phone.words.arrived));
    say(fill(phone.words.refused, { why: message ?? "" }));
    outbox.discard(id).catch(() => {});
  });
}

/** Keep an item on the phone; resolve with whether it is on disk. */
export async function keep(item) {
  const { outbox } = await box;
  const written = outbox.keep(item).then(() => outbox.close(item.id)).then(() => true, () => false);
  return within(written, false);
}

/** Post the form as the browser would, and stay on the page: "stored", "rejected", or null where it did not arrive. */
async function post(form) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT);
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body, signal: abort.signal });
    if (answer.redirected && new URL(answer.url).pathname === phone.thanks) return "stored";
    return answer.status === 422 || answer.status === 410 ? "rejected" : null;
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Bring an item that is kept to the server, by the API or else by its form. `told` hears of it: "stored" and "rejected"
 * once, "later" before that where it takes long.
 */
export async function bring(item, form, told) {
  const { outbox, sender } = await box;
  let over = false; // both ways, or two tabs, may bring the same word
  const say = (outcome) => {
    if (over) return;
    over = outcome !== "later";
    told(outcome);
  };
  setTimeout(say, PATIENCE, "later");
  outbox.onSettled(({ id, status }) => id === item.id && say(status === "rejected" ? "rejected" : "stored"));
  const before = sender.last();
  await sender.send();
  const { outcome } = sender.last();
  if (sender.last() === before || UNDER_WAY.includes(outcome)) return;
  const status = outcome === "busy" ? null : await post(form); // who asks for patience is not asked another way
  if (status) await outbox.settle([{ id: item.id, status }]);
  else say("later");
}

/** Forget an item that the server refused: what was typed is still in its form. */
export async function discard(item) {
  const { outbox } = await box;
  await outbox.discard(item.id).catch(() => {});
}

/** Resolve with the phone's box, or null where this browser keeps nothing, or takes too long to say. */
export function ready() {
  return within(box);
}
