// Keys of the review page, off until somebody turns them on. Single keys can clash with assistive technology (WCAG 2.1.4), so the
// choice stays with the person and in their browser; everything they do can be done by link and button as well.
(function () {
  "use strict";

  var KEY = "guiderail.shortcuts";

  function isOn() {
    try {
      return window.localStorage.getItem(KEY) === "on";
    } catch (error) {
      return false;
    }
  }

  function sections() {
    return Array.prototype.slice.call(document.querySelectorAll("main section.section[id]"));
  }

  function go(step) {
    var all = sections();
    var here = -1;
    all.forEach(function (section, index) {
      if (section.getBoundingClientRect().top < 100) {
        here = index;
      }
    });
    var next = all[Math.min(all.length - 1, Math.max(0, here + step))];
    if (next) {
      next.tabIndex = -1;
      next.scrollIntoView();
      next.focus({ preventScroll: true });
    }
  }

  function mark() {
    var here = document.activeElement.closest("section.section[id]");
    var button = here && here.querySelector(".seen-form button");
    if (button) {
      button.click();
    }
  }

  var KEYS = {
    j: function () { go(1); },
    k: function () { go(-1); },
    m: mark,
    d: function () { window.location.hash = "your-move"; },
    q: function () {
      var link = document.querySelector("[data-shortcut-queue]");
      if (link) {
        window.location.assign(link.href);
      }
    }
  };

  document.addEventListener("keydown", function (event) {
    if (!isOn() || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) {
      return;
    }
    var act = KEYS[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });

  document.addEventListener("DOMContentLoaded", function () {
    var box = document.querySelector("[data-shortcuts]");
    if (!box) {
      return;
    }
    box.closest("[data-shortcuts-box]").hidden = false;
    box.checked = isOn();
    box.addEventListener("change", function () {
      try {
        window.localStorage.setItem(KEY, box.checked ? "on" : "off");
      } catch (error) {
        box.checked = false;
      }
    });
  });
})();
