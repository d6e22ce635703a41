// The survey, one question a screen: forward, back, progress; the form itself stays what the server sent.
import {
  answerOf, asked, countCharacters, enable, fill, focusFirstError, forget, guard, keepForAMoment, leaveOut, theForm, words,
} from "./paper.js";
import { bring, discard, keep, phone, ready } from "./survey_phone.js";

const AFTER_TAP_MS = 250;
const texts = words();
const form = theForm();
const questions = [...form.querySelectorAll("[data-question]")];
const send = form.querySelector(".send");
const submit = send.querySelector("[type=submit]");
const back = button("back", texts.back);
const next = button("primary", texts.next);
const steps = document.createElement("div");
const stepText = document.createElement("p");
const bar = document.createElement("progress");
const main = document.getElementById("main");
const sendText = submit.textContent;
let current = questions[0];
let handingIn = false;

function button(name, text) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = name;
  made.textContent = text;
  return made;
}

function build() {
  document.body.classList.add("stepwise");
  steps.className = "steps";
  stepText.setAttribute("role", "status");
  bar.setAttribute("aria-hidden", "true");
  steps.append(stepText, bar);
  form.before(steps);
  send.prepend(back);
  submit.before(next);
}

function place() {
  const visible = asked(questions);
  return { visible, index: Math.max(0, visible.indexOf(current)) };
}

function show({ focus = false } = {}) {
  const { visible, index } = place();
  current = visible[index];
  for (const question of questions) question.hidden = question !== current;
  const last = index === visible.length - 1;
  back.hidden = index === 0;
  next.hidden = last;
  submit.hidden = !last;
  const passing = answerOf(current) === null && !("required" in current.dataset);
  next.classList.toggle("passing", passing);
  next.textContent = passing ? texts.skip : texts.next;
  stepText.textContent = fill(texts.step, { n: index + 1, all: visible.length });
  bar.max = visible.length;
  bar.value = index + 1;
  if (focus) {
    const target = current.querySelector("input:checked") ?? current.querySelector("input, textarea");
    target?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
}

function complain(question) {
  if (question.querySelector(".error")) return;
  const note = document.createElement("p");
  note.className = "error";
  note.setAttribute("role", "alert");
  note.textContent = texts.needed;
  (question.querySelector(".help") ?? question.querySelector(".ask"))?.after(note);
  if (!note.isConnected) question.prepend(note);
  question.classList.add("wrong");
}

function forgive(question) {
  question.querySelector(".error")?.remove();
  question.classList.remove("wrong");
}

function go(step) {
  if (step > 0 && "required" in current.dataset && answerOf(current) === null) {
    complain(current);
    return;
  }
  const { visible, index } = place();
  current = visible[Math.min(Math.max(index + step, 0), visible.length - 1)];
  show({ focus: true });
}

/** A tap with a finger or mouse on an answer is a decision; the keyboard's arrows only look around. */
function onTap(event) {
  const picked = event.target;
  if (picked.type !== "radio" || event.detail === 0) return;
  const tapped = current;
  setTimeout(() => {
    const { visible, index } = place();
    if (tapped === current && index < visible.length - 1) go(1);
  }, AFTER_TAP_MS);
}

function onSubmit(event) {
  if (handingIn) return event.preventDefault();
  const { visible } = place();
  const open = visible.find((question) => "required" in question.dataset && answerOf(question) === null);
  if (open) {
    event.preventDefault();
    current = open;
    show({ focus: true });
    complain(open);
    return undefined;
  }
  leaveOut(questions.filter((question) => !visible.includes(question)));
  event.preventDefault();
  return handIn(visible);
}

/** Return the answers as the server reads them from the form, so that both ways bring the same. */
function answersOf(visible) {
  const answers = {};
  for (const question of visible) {
    const { question: key, type } = question.dataset;
    const answer = answerOf(question);
    if (answer === null || type === "receipt") continue;
    answers[key] = type === "text" ? question.querySelector("textarea").value : answer;
  }
  return answers;
}

function itemOf(visible) {
  const id = form.elements.namedItem("response_id");
  if (id.value[14] !== "7") id.value = window.otklik.uuid7();
  const receipt = form.querySelector("[data-type=receipt] input");
  return {
    id: id.value,
    point: phone.point,
    form_version: phone.form_version,
    ...window.otklik.clock.stamp(),
    language: phone.language,
    channel: "qr",
    answers: answersOf(visible),
    ...(receipt && { receipt: receipt.value.replace(/[\s\p{Pd}]/gu, "") }),
  };
}

/** Leave it to the browser and the server's page; a question may be called "submit". */
function postPage() {
  keepForAMoment(form);
  HTMLFormElement.prototype.submit.call(form);
}

/** Nothing is thanked for that is not on this phone's disk or with the server. */
async function handIn(visible) {
  handingIn = true;
  submit.disabled = true;
  submit.textContent = texts.sending;
  const over = phone.until !== null && Date.now() > phone.until;
  if (over || (await ready()) === null) return postPage();
  const item = itemOf(visible);
  if (!(await keep(item))) return postPage();
  forget(form);
  return bring(item, form, async (outcome) => {
    if (outcome === "stored") return thank();
    if (outcome === "later") return sayKept();
    await discard(item);
    return postPage();
  });
}

/** Show a screen of the page in place of the survey. */
function showInstead(name) {
  const screen = document.createElement("div");
  screen.dataset.shown = name;
  screen.append(document.getElementById(name).content.cloneNode(true));
  main.append(screen);
  document.body.classList.remove("stepwise");
  const title = screen.querySelector("h1");
  document.title = title.textContent;
  title.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  return screen;
}

/** The form stays beneath, in case the server gives it back. */
function sayKept() {
  if (main.querySelector("[data-shown]")) return;
  for (const part of main.children) part.hidden = true;
  showInstead("kept");
}

/** The address becomes that of the thanks: a reload sends nothing again, and no step leads back to what is sent. */
function thank() {
  main.replaceChildren(showInstead("arrived"));
  history.replaceState(null, "", phone.thanks);
  for (const link of document.querySelectorAll("a[data-lang]")) link.pathname = phone.thanks;
}

/** Enter in a line goes on to the next question, as the button does; in a text it breaks the line. */
function onKey(event) {
  if (event.key !== "Enter" || event.target.tagName !== "INPUT" || next.hidden) return;
  event.preventDefault();
  go(1);
}

function toProblem(event) {
  const link = event.target.closest("a[href^='#q-']");
  const field = link && document.getElementById(link.hash.slice(1));
  if (!field) return;
  event.preventDefault();
  current = field.closest("[data-question]");
  show({ focus: true });
}

form.addEventListener("submit", onSubmit);
guard(form);
build();
// A receipt's number that came with the address need not be looked at again.
current = questions.find((question) => question.classList.contains("wrong"))
  ?? questions.find((question) => question.dataset.type !== "receipt" || answerOf(question) === null);
back.addEventListener("click", () => go(-1));
next.addEventListener("click", () => go(1));
form.addEventListener("click", onTap);
form.addEventListener("keydown", onKey);
form.addEventListener("input", () => {
  forgive(current);
  show();
});
addEventListener("pageshow", () => {
  handingIn = false;
  submit.textContent = sendText;
  enable(form);
});
document.querySelector("[data-problems]")?.addEventListener("click", toProblem);
countCharacters(form, texts);
show();
focusFirstError(form);
