// The survey, one question a screen: forward, back, progress; the form itself stays what the server sent.
import {
  answerOf, asked, countCharacters, enable, fill, focusFirstError, guard, leaveOut, theForm, words,
} from "./paper.js";

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
let current = questions[0];

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
  const { visible } = place();
  const open = visible.find((question) => "required" in question.dataset && answerOf(question) === null);
  if (open) {
    event.preventDefault();
    current = open;
    show({ focus: true });
    complain(open);
    return;
  }
  leaveOut(questions.filter((question) => !visible.includes(question)));
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
current = questions.find((question) => question.classList.contains("wrong")) ?? current;
back.addEventListener("click", () => go(-1));
next.addEventListener("click", () => go(1));
form.addEventListener("click", onTap);
form.addEventListener("keydown", onKey);
form.addEventListener("input", () => {
  forgive(current);
  show();
});
addEventListener("pageshow", () => enable(form));
document.querySelector("[data-problems]")?.addEventListener("click", toProblem);
countCharacters(form, texts);
show();
focusFirstError(form);
