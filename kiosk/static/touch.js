"use strict";
// Fingers in gloves, keys, switches and wired buttons: whatever presses, it ends as a click on a button of the screen.
(() => {
  const otklik = (window.otklik = window.otklik || {});
  // A browser makes no click of a long or a sliding press; after this long none is to be expected.
  const NO_CLICK = 120;
  const LATE_CLICK = 500;
  const root = document.documentElement;

  const onField = ({ target }) => Boolean(target.closest && target.closest("textarea, input"));
  const inside = ({ left, right, top, bottom }, { clientX: x, clientY: y }) => x >= left && x <= right && y >= top && y <= bottom;

  function watchFingers() {
    let press = null; // {button, pointer, clicked}
    let helpedAt = -Infinity;

    function onDown({ target, pointerId: pointer, isPrimary, button: mouse }) {
      const button = isPrimary && !mouse && target.closest && target.closest("button");
      if (!button) return;
      lift();
      press = { button, pointer, clicked: false };
      button.dataset.pressed = "";
    }

    function lift() {
      if (press) delete press.button.dataset.pressed;
    }

    function onUp(event) {
      if (!press || press.pointer !== event.pointerId) return;
      const mine = press;
      lift();
      if (!inside(mine.button.getBoundingClientRect(), event)) return;
      setTimeout(() => {
        if (mine.clicked || !mine.button.isConnected) return;
        helpedAt = performance.now();
        mine.button.click();
      }, NO_CLICK);
    }

    function onClick(event) {
      if (press) press.clicked = true;
      if (!event.isTrusted || !event.detail || performance.now() - helpedAt > LATE_CLICK) return;
      // The click that comes after all: it would answer the screen that follows.
      event.stopPropagation();
      event.preventDefault();
    }

    document.addEventListener("pointerdown", onDown);
    document.addEventListener("pointerup", onUp);
    document.addEventListener("pointercancel", lift);
    document.addEventListener("click", onClick, true);
    document.addEventListener("contextmenu", (event) => onField(event) || event.preventDefault());
  }

  // The answer a digit stands for: a smiley or a step of a scale by its value, a ready-made answer by its place.
  function answerOf(main, digit) {
    const smiley = main.querySelector(`[data-answer="${digit}"]`);
    if (smiley || main.querySelector("[data-answer]")) return smiley;
    const step = (value) => main.querySelector(`.scale [data-choice="${value}"]`);
    if (main.querySelector(".scale")) return step(digit) || (digit === "0" ? step(10) : null);
    return main.querySelectorAll("[data-choice]")[(Number(digit) || 10) - 1];
  }

  otklik.touch = (main, misuse) => {
    function press(button) {
      if (button) button.click();
    }

    function onKey(event) {
      const { key } = event;
      // The staff's pages have keys of their own.
      if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || document.querySelector("dialog[open]")) return;
      const field = onField(event);
      if (misuse.repeats(event)) return void (field || key === "Tab" || event.preventDefault());
      const onward = key === "Escape" || (key === "Backspace" && !field);
      if (!onward && (field || !/^[0-9]$/.test(key))) return;
      event.preventDefault();
      // The next shopper need not wait for the thanks to go.
      if (root.dataset.screen === "thanks") press(main.firstElementChild);
      press(onward ? main.querySelector("[data-skip]") : answerOf(main, key));
    }

    watchFingers();
    document.addEventListener("keydown", onKey);
  };
})();
