// What the pages of paper share: their words, answers as the server reads them, short-lived drafts, errors.

const DRAFT_LIVES_MS = 10 * 60 * 1000;
const PREFIX = "otklik:";
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** Return the page's translated texts. */
export function words() {
  const holder = document.getElementById("words");
  return holder ? JSON.parse(holder.textContent) : {};
}

/** Put values into a text with {places}. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Return the form of the page, or null on a page without one. */
export function theForm() {
  return document.querySelector("form[data-form]");
}

/** Return what stands in a form, by name; without the token, which belongs to one page alone. */
export function snapshot(form) {
  const values = {};
  for (const control of form.elements) {
    if (!control.name || control.name === "csrf_token" || control.type === "file") continue;
    if ((control.type === "radio" || control.type === "checkbox") && !control.checked) continue;
    (values[control.name] ??= []).push(control.value);
  }
  return values;
}

/** Put back what a snapshot holds. */
export function restore(form, values) {
  for (const control of form.elements) {
    const kept = values[control.name];
    if (!control.name || control.name === "csrf_token" || !Array.isArray(kept)) continue;
    if (control.type === "radio" || control.type === "checkbox") control.checked = kept.includes(control.value);
    else if (control.type !== "submit" && control.type !== "file") control.value = kept.find((value) => value !== "na") ?? "";
  }
}

/** Read a question's answer as the server does; null where there is none. */
export function answerOf(question) {
  const picked = question.querySelector("input[type=radio]:checked, input[type=checkbox]:checked");
  const typed = question.querySelector("textarea, input[type=text]");
  const type = question.dataset.type;
  if (type === "consent") return picked ? true : null;
  const raw = (picked ?? typed)?.value.trim() ?? "";
  if (raw === "" || raw === "na") return raw || null;
  if (["yes_no", "choice", "text", "receipt"].includes(type)) return raw;
  const number = raw.replace(/\s/g, "").replace(",", ".");
  return NUMBER.test(number) ? Number(number) : raw;
}

function holds(rule, answers) {
  const value = answers.get(rule.question) ?? null;
  if (value === null) return false;
  if (rule.any_of !== null) return rule.any_of.includes(value);
  if (typeof value !== "number") return false;
  return (rule.at_least === null || value >= rule.at_least) && (rule.at_most === null || value <= rule.at_most);
}

/** Return the questions that the answers leave visible, in order; a hidden one counts as unanswered. */
export function asked(questions) {
  const answers = new Map();
  return questions.filter((question) => {
    const rule = question.dataset.showIf;
    if (rule && !holds(JSON.parse(rule), answers)) return false;
    answers.set(question.dataset.question, answerOf(question));
    return true;
  });
}

/** Leave questions that are not asked out of what is sent. */
export function leaveOut(questions) {
  for (const question of questions) {
    for (const control of question.querySelectorAll("input, textarea")) control.disabled = true;
  }
}

/** Open every field again, on a page that was sent and is looked at once more. */
export function enable(form) {
  for (const control of form.elements) control.disabled = false;
}

/** Keep a draft in this tab for a moment: over a change of language, or until the server has answered. */
export function keepForAMoment(form) {
  const draft = { at: Date.now(), values: snapshot(form) };
  quietly(() => sessionStorage.setItem(PREFIX + form.dataset.form, JSON.stringify(draft)));
}

/** Forget the moment's draft of a form. */
export function forget(form) {
  quietly(() => sessionStorage.removeItem(PREFIX + form.dataset.form));
}

/** Forget every draft of this tab. */
export function forgetAll() {
  quietly(() => Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX)).forEach((key) => sessionStorage.removeItem(key)));
}

/** Put the moment's draft back and forget it, unless the server itself gave the typed values back. */
export function takeBack(form) {
  quietly(() => {
    const key = PREFIX + form.dataset.form;
    const draft = JSON.parse(sessionStorage.getItem(key));
    sessionStorage.removeItem(key);
    const fresh = draft && Date.now() - draft.at < DRAFT_LIVES_MS;
    if (fresh && !("returned" in form.dataset)) restore(form, draft.values);
  });
}

/** Keep drafts over a change of language and while the form is on its way. */
export function guard(form) {
  takeBack(form);
  for (const link of document.querySelectorAll("a[data-lang]")) {
    link.addEventListener("click", () => keepForAMoment(form));
  }
  form.addEventListener("submit", () => keepForAMoment(form));
}

/** Keep a draft on the phone until it is handed in; say whether the phone keeps it. */
export function keepOnPhone(form) {
  return quietly(() => {
    localStorage.setItem(PREFIX + form.dataset.form, JSON.stringify(snapshot(form)));
    return true;
  });
}

/** Return the draft that the phone keeps, or null. */
export function onPhone(form) {
  return quietly(() => JSON.parse(localStorage.getItem(PREFIX + form.dataset.form))) ?? null;
}

/** Storage may be closed by the browser's settings: then nothing is kept, and nothing breaks. */
function quietly(work) {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** Say how many characters are left once that matters. */
export function countCharacters(form, texts) {
  for (const area of form.querySelectorAll("textarea[data-limit]")) {
    const limit = Number(area.dataset.limit);
    const note = document.createElement("p");
    note.className = "count";
    note.setAttribute("aria-live", "polite");
    area.after(note);
    const show = () => {
      const left = limit - area.value.length;
      note.hidden = left > limit / 10;
      note.classList.toggle("count-over", left < 0);
      note.textContent = fill(left < 0 ? texts.over : texts.left, { n: Math.abs(left) });
    };
    area.addEventListener("input", show);
    show();
  }
}

/** Move the focus to the first wrong field, or to what is wrong with the whole page. */
export function focusFirstError(form) {
  const wrong = form.querySelector(".wrong");
  const field = wrong?.querySelector("input:not([type=hidden]), textarea") ?? document.querySelector("[data-problems]");
  field?.focus();
}

const done = document.querySelector("[data-forget]");
if (done) {
  quietly(() => sessionStorage.removeItem(PREFIX + done.dataset.forget));
  quietly(() => localStorage.removeItem(PREFIX + done.dataset.forget));
}
