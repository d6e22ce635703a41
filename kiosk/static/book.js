// The feedback book: what is typed outlives a change of language and a lost connection, and nothing longer.
import { countCharacters, focusFirstError, guard, theForm, words } from "./paper.js";

const form = theForm();
guard(form);
countCharacters(form, words());
const fold = form.querySelector("details");
if (fold.querySelector("input[type=checkbox]:checked") || [...fold.querySelectorAll("input[type=text]")].some((line) => line.value)) {
  fold.open = true;
}
focusFirstError(form);
