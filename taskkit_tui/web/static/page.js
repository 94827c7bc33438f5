"use strict";

// The keys go to the dashboard as soon as it is there. Once it is closed, enter opens it again.
window.addEventListener("DOMContentLoaded", () => {
  let state = "";
  const classes = document.body.classList;
  new MutationObserver(() => {
    const now = classes.contains("-closed") ? "#again" : classes.contains("-first-byte") ? "textarea" : "";
    if (now !== state) {
      state = now;
      document.querySelector(now).focus();
    }
  }).observe(document.body, { attributeFilter: ["class"] });
});
