// A mystery visit: progress, questions that depend on others, and a draft that a reload or a dead battery leaves alone.
import {
  answerOf, asked, countCharacters, enable, fill, focusFirstError, keepOnPhone, leaveOut, onPhone, restore, theForm, words,
} from "./paper.js";

const PING_MS = 4000;
const texts = words();
const form = theForm();
const questions = [...form.querySelectorAll("[data-question]")];
const panel = document.querySelector("[data-progress]");
const offline = form.querySelector("[data-offline]");
let reached = false;

function show() {
  const visible = asked(questions);
  for (const question of questions) question.hidden = !visible.includes(question);
  const answered = visible.filter((question) => answerOf(question) !== null).length;
  panel.hidden = false;
  panel.querySelector("[data-done]").textContent = fill(texts.done, { n: answered, all: visible.length });
  panel.querySelector("progress").max = visible.length;
  panel.querySelector("progress").value = answered;
  panel.querySelector("[data-next-open]").hidden = answered === visible.length;
}

function keep() {
  panel.querySelector("[data-saved]").textContent = keepOnPhone(form) ? texts.saved : texts.unsaved;
}

function toNextOpen() {
  const open = asked(questions).filter((question) => answerOf(question) === null);
  const below = open.find((question) => question.getBoundingClientRect().top > innerHeight / 2) ?? open[0];
  const field = below?.querySelector("input, textarea");
  below?.scrollIntoView({ block: "center" });
  field?.focus({ preventScroll: true });
}

/** A number and "not applicable" exclude each other. */
function exclude(event) {
  const question = event.target.closest("[data-type=number]");
  if (!question) return;
  const line = question.querySelector("input[type=text]");
  const mark = question.querySelector("input[type=checkbox]");
  if (event.target === mark && mark.checked) line.value = "";
  if (event.target === line && line.value && mark) mark.checked = false;
}

async function isReachable() {
  try {
    await fetch(form.dataset.ping, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(PING_MS) });
    return true;
  } catch {
    return false;
  }
}

/** Ask for the server before the browser leaves the page: a page without a connection would be lost to an error. */
async function onSubmit(event) {
  if (reached) return;
  event.preventDefault();
  keep();
  reached = await isReachable();
  offline.hidden = reached;
  if (!reached) return;
  const visible = asked(questions);
  leaveOut(questions.filter((question) => !visible.includes(question)));
  form.requestSubmit();
}

const draft = onPhone(form);
if (draft && !("returned" in form.dataset)) restore(form, draft);
form.addEventListener("input", (event) => {
  exclude(event);
  show();
  keep();
});
form.addEventListener("submit", onSubmit);
addEventListener("pageshow", () => {
  reached = false;
  enable(form);
});
addEventListener("online", () => (offline.hidden = true));
panel.querySelector("[data-next-open]").addEventListener("click", toNextOpen);
countCharacters(form, texts);
show();
if (draft) keep();
focusFirstError(form);
