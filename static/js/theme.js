// Light, dark or as the device says. Runs in the head, before the first paint, so that nothing flashes.
(function () {
  "use strict";
  var KEY = "guiderail-theme";
  var ORDER = ["auto", "light", "dark"];
  var WORDS = { auto: "as the device", light: "light", dark: "dark" };
  var root = document.documentElement;
  var device = window.matchMedia("(prefers-color-scheme: dark)");

  function wanted() {
    try {
      var kept = window.localStorage.getItem(KEY);
      return ORDER.indexOf(kept) >= 0 ? kept : "auto";
    } catch (error) {
      return "auto"; // storage refused: the device decides
    }
  }

  function keep(choice) {
    try {
      window.localStorage.setItem(KEY, choice);
    } catch (error) {
      // not kept: it holds for this page
    }
  }

  function apply(choice) {
    var dark = choice === "dark" || (choice === "auto" && device.matches);
    root.setAttribute("data-bs-theme", dark ? "dark" : "light");
    root.setAttribute("data-theme-choice", choice);
    document.querySelectorAll("[data-theme-word]").forEach(function (word) {
      word.textContent = WORDS[choice];
    });
  }

  apply(wanted());
  device.addEventListener("change", function () {
    apply(root.getAttribute("data-theme-choice") || "auto");
  });
  document.addEventListener("DOMContentLoaded", function () {
    apply(wanted());
    document.querySelectorAll("[data-theme-switch]").forEach(function (button) {
      button.hidden = false;
      button.addEventListener("click", function () {
        var next = ORDER[(ORDER.indexOf(root.getAttribute("data-theme-choice")) + 1) % ORDER.length];
        keep(next);
        apply(next);
      });
    });
  });
})();
