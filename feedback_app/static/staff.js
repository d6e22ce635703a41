// A print holds the tables that are folded on the screen. Without this script the folds are opened by hand.
let opened = [];

window.addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details.numbers:not([open])")];
  for (const fold of opened) fold.open = true;
});

window.addEventListener("afterprint", () => {
  for (const fold of opened) fold.open = false;
});
