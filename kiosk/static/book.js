// The feedback book: what is typed outlives a change of language, a lost connection and a refusal, and nothing longer.
// Where the browser can keep an entry, it is on this device before it is sent; elsewhere the form is posted as ever.
import { home, leaveSoon } from "./book_kiosk.js";
import { gather, ready } from "./book_photos.js";
import { countCharacters, fill, focusFirstError, forget, guard, restore, theForm, words } from "./paper.js";

const PATIENCE = 10_000;
const SECRET_BYTES = 24;
const form = theForm();
const texts = words();
const main = document.getElementById("main");
const fold = form.querySelector("details");
const submit = form.querySelector(".send [type=submit]");
const sendText = submit.textContent;
const earlier = document.querySelector("[data-earlier]");
const field = (name) => form.elements.namedItem(name);
const isOn = (name) => field(name).checked;
const isBlank = () => !field("text").value.trim();
let sending = false;
let photos = null;
let refusedId = null; // under which the queue keeps what stands in the form, until the server has taken it
const queue = openQueue();

/** Return a secret that nobody can guess, in the letters of an address. */
function newSecret() {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_");
}

/** Return the queue of this device; null where the browser lets it keep nothing. */
function openQueue() {
  return window.isSecureContext && window.indexedDB && window.otklik?.bookQueue ? window.otklik.bookQueue() : null;
}

// --- what is wrong ---

function say(element, text) {
  const note = document.createElement("p");
  note.className = "error";
  note.setAttribute("role", "alert");
  note.textContent = text;
  const question = element.closest(".question");
  (question.querySelector(".ask, .ask-small") ?? element.closest(".tick")).after(note);
  question.classList.add("wrong");
}

function forgive() {
  for (const note of document.querySelectorAll("[data-problems], .question .error")) note.remove();
  for (const question of form.querySelectorAll(".wrong")) question.classList.remove("wrong");
  for (const control of form.elements) control.removeAttribute("aria-invalid");
}

/** Say what the server would refuse, as it may be days until it is asked; return whether all is well. */
function check() {
  forgive();
  const named = field("name").value.trim() || field("contact").value.trim();
  const young = isOn("under_16");
  const text = field("text");
  if (!form.querySelector("[name=kind]:checked")) say(form.querySelector("[name=kind]"), texts.required);
  if (!text.value.trim()) say(text, texts.required);
  else if (text.value.length > Number(text.dataset.limit)) say(text, texts.too_long);
  if (named && young && !isOn("guardian")) say(field("guardian"), texts.guardian_needed);
  else if (named && !young && !isOn("consent")) say(field("consent"), texts.consent_needed);
  if (photos && photos.files().length > texts.photo_limit) say(field("photos"), texts.too_many_photos);
  const wrong = form.querySelector(".wrong");
  if (wrong && fold.contains(wrong)) fold.open = true;
  if (wrong) focusFirstError(form);
  return !wrong;
}

/** Take over what the server's page says is wrong; everything typed and chosen stays. */
function showRefusal(page) {
  forgive();
  const theirs = page.querySelector("form[data-form]");
  const problems = page.querySelector("[data-problems]");
  if (problems) form.before(problems);
  if (!theirs) return tellAbove(page.querySelector("h1")?.textContent ?? texts.busy);
  const questions = [...theirs.querySelectorAll(".question")];
  for (const [index, question] of [...form.querySelectorAll(".question")].entries()) {
    const errors = [...(questions[index]?.querySelectorAll(".error") ?? [])];
    question.classList.toggle("wrong", errors.length > 0);
    (question.querySelector(".ask, .ask-small, .tick") ?? question.firstElementChild).after(...errors);
  }
  for (const name of ["csrf_token", "response_id", "secret"]) field(name).value = theirs.elements.namedItem(name).value || field(name).value;
  if (theirs.querySelector("details")?.open) fold.open = true;
  return focusFirstError(form);
}

function tellAbove(text) {
  const box = document.createElement("div");
  const line = document.createElement("p");
  box.className = "problems";
  box.tabIndex = -1;
  box.dataset.problems = "";
  box.setAttribute("role", "alert");
  line.className = "notice";
  line.textContent = text;
  box.append(line);
  form.before(box);
  box.focus();
}

// --- what is sent ---

async function compose() {
  const fields = [...new FormData(form)].filter(([name, value]) => name !== "csrf_token" && typeof value === "string");
  const content = photos ? await ready(photos.files()) : [];
  return { id: field("response_id").value, address: form.action, fields, photos: content, kept_at: Date.now() };
}

function rest() {
  sending = false;
  submit.disabled = false;
  submit.textContent = sendText;
}

/** Show that the entry is on this device, with the link by which its answer will be found. */
function showKept() {
  if (main.querySelector("[data-shown]")) return;
  const screen = document.createElement("div");
  screen.dataset.shown = "kept";
  screen.append(document.getElementById("kept").content.cloneNode(true));
  screen.querySelector("[data-link-text]").textContent = texts.link + field("secret").value;
  for (const part of main.children) part.hidden = true;
  main.append(screen);
  const title = screen.querySelector("h1");
  document.title = title.textContent;
  title.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  if (!home) return;
  form.reset();
  leaveSoon();
}

/** Put the form back in sight. */
function showForm() {
  main.querySelector("[data-shown]")?.remove();
  for (const part of main.children) part.hidden = part === earlier && !earlier.textContent;
}

/** Go to the receipt; no step back brings the words again, and on a kiosk none leads here. */
function goTo(address) {
  form.reset();
  if (photos) photos.set([]);
  return home ? location.replace(address) : location.assign(address);
}

/** Take a refused entry out of the queue once the form's is there, or written, under another id. */
async function dropRefused(id) {
  if (refusedId !== null && refusedId !== id) await queue.discard(refusedId).catch(() => {});
}

/** Leave an entry to the form alone, unless its writer was told before that this device keeps it. */
async function holdBack(letter, promised) {
  if (!promised && refusedId === null) return queue.discard(letter.id).catch(() => {});
  refusedId = letter.id;
  return queue.keep({ ...letter, refused: true }).catch(() => {});
}

async function handIn() {
  const letter = await compose();
  const kept = await queue.keep(letter).then(() => true, () => false);
  if (kept) await dropRefused(letter.id);
  forget(form);
  // On a kiosk what is kept goes out of sight for good: there the word of the server is waited for.
  const slow = setTimeout(() => kept && !home && showKept(), PATIENCE);
  const outcome = await queue.deliver(letter);
  clearTimeout(slow);
  const promised = main.querySelector("[data-shown]") !== null;
  if (kept && (outcome.status === "later" || (outcome.status === "busy" && promised))) {
    showKept();
    return void queue.send();
  }
  if (outcome.status === "written") {
    await dropRefused(null);
    await queue.discard(letter.id).catch(() => {});
    return goTo(outcome.address);
  }
  if (kept) await holdBack(letter, promised);
  showForm();
  rest();
  if (outcome.status === "later") return tellAbove(texts.not_kept);
  return outcome.status === "busy" ? tellAbove(texts.busy) : showRefusal(outcome.page);
}

function onSubmit(event) {
  if (!queue) return undefined;
  event.preventDefault();
  if (sending || !check()) return undefined;
  sending = true;
  submit.disabled = true;
  submit.textContent = texts.sending;
  return handIn();
}

// --- what was written earlier ---

function tellEarlier(text, address) {
  earlier.textContent = text;
  if (address && !home) {
    const link = document.createElement("a");
    link.href = address;
    link.textContent = texts.see_receipt;
    earlier.append(" ", link);
  }
  earlier.hidden = false;
}

const isOwn = (letter) => letter.id === field("response_id").value;

/** Say whether a refused entry is one of this book's, by somebody who may see it again. */
function isOfThisBook(letter) {
  const same = new URL(letter.address).pathname === new URL(form.action, location.href).pathname;
  return same && !home && !queue.ofKiosk(letter);
}

/** Put an entry that the server refused before its writer again; it stays in the queue until it is written. */
function reopen(letter, page) {
  const values = {};
  for (const [name, value] of letter.fields) (values[name] ??= []).push(value);
  showForm();
  rest();
  restore(form, values);
  if (photos) photos.set(letter.photos.map(({ name, content }) => new File([content], name, { type: content.type })));
  refusedId = letter.id;
  if (page) showRefusal(page);
  else tellAbove(texts.refused);
}

function onSettled(letter, outcome) {
  const own = isOwn(letter) && main.querySelector("[data-shown]");
  const fits = isOfThisBook(letter) && (own || isBlank());
  if (outcome.status === "refused" && fits) return reopen(letter, outcome.page);
  if (outcome.status !== "written" || home || queue.ofKiosk(letter)) return undefined;
  if (own) return goTo(outcome.address);
  return tellEarlier(fill(texts.arrived, outcome), outcome.address);
}

async function lookBack() {
  const waiting = (await queue.all()).filter((letter) => !queue.ofKiosk(letter));
  const refused = waiting.filter((letter) => letter.refused && isOfThisBook(letter));
  if (refused.some(isOwn)) refusedId = field("response_id").value; // it came back with a change of language
  else if (refused.length > 0 && isBlank()) reopen(refused[0]);
  if (!home && waiting.some((letter) => !letter.refused)) tellEarlier(texts.waiting);
  await queue.start();
}

field("secret").value = newSecret();
guard(form);
field("consent_shown").value = form.dataset.consentShown;
if (field("photos") && window.createImageBitmap && queue) photos = gather(field("photos"), texts);
countCharacters(form, texts);
document.body.classList.add("with-script");
if (isOn("consent") || isOn("under_16") || field("name").value || field("contact").value) fold.open = true;
form.addEventListener("submit", onSubmit);
addEventListener("pageshow", (event) => (event.persisted ? location.reload() : rest()));
focusFirstError(form);
if (queue) {
  queue.onSettled(onSettled);
  lookBack().catch(() => {});
}
