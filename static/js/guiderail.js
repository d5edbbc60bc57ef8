// Small comforts. Every flow works without this file.
(function () {
  "use strict";

  // The error summary gets the focus, so that a screen reader starts with what is wrong.
  function focusErrors(scope) {
    var summary = scope.querySelector("[data-focus-first]");
    if (summary) {
      summary.focus();
    }
  }

  // Copy buttons stay hidden where the browser cannot copy.
  function showCopyButtons(scope) {
    if (!navigator.clipboard) {
      return;
    }
    scope.querySelectorAll("[data-copy]").forEach(function (button) {
      button.hidden = false;
    });
  }

  // Scrolling regions take the keyboard; where there is nothing to scroll they need not be a stop.
  function markScrollers(scope) {
    scope.querySelectorAll(".table-scroll").forEach(function (region) {
      var scrolls = region.scrollWidth > region.clientWidth + 1 || region.scrollHeight > region.clientHeight + 1;
      region.tabIndex = scrolls ? 0 : -1;
    });
  }

  function prepare(scope) {
    showCopyButtons(scope);
    markScrollers(scope);
  }

  function problem(text) {
    var box = document.getElementById("live-problem");
    if (box) {
      box.textContent = text;
      box.hidden = false;
    }
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy]");
    if (button) {
      navigator.clipboard.writeText(button.getAttribute("data-copy")).then(function () {
        var word = button.querySelector("[data-copy-word]");
        if (word) {
          word.textContent = "Copied";
          window.setTimeout(function () {
            word.textContent = "Copy";
          }, 2000);
        }
      });
      return;
    }
    if (event.target.closest("[data-print]")) {
      window.print();
      return;
    }
    // A menu closes when the person clicks elsewhere.
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) {
        menu.open = false;
      }
    });
  });

  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") {
      return;
    }
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });

  // What a part holds is measured when it folds open.
  document.addEventListener(
    "toggle",
    function (event) {
      if (event.target.open) {
        markScrollers(event.target);
      }
    },
    true
  );

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-print]").forEach(function (button) {
      button.hidden = false;
    });
    prepare(document);
    focusErrors(document);
  });
  // A picture comes when it is near, or when the colours change: then its region may have to scroll.
  ["load", "error"].forEach(function (happens) {
    document.addEventListener(
      happens,
      function (event) {
        var region = event.target.closest && event.target.closest(".table-scroll");
        if (region) {
          markScrollers(region.parentElement);
        }
      },
      true
    );
  });
  window.addEventListener("resize", function () {
    markScrollers(document);
  });
  document.addEventListener("htmx:load", function (event) {
    prepare(event.target);
    if (event.target.matches && event.target.matches("[data-focus-first]")) {
      event.target.focus();
    }
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    var box = document.getElementById("live-problem");
    if (box && event.detail.successful) {
      box.hidden = true;
    }
  });
  document.addEventListener("htmx:responseError", function (event) {
    var status = event.detail.xhr.status;
    if (status === 401 || status === 403) {
      problem("You are no longer allowed to do this, or your session ended. Reload the page to go on; what you typed stays until then.");
    } else if (status === 409) {
      problem("The case has changed since you opened this page. Reload it to see what is new.");
    } else if (status === 503) {
      problem("Guiderail cannot reach its database right now. Nothing was lost. It tries again by itself, or reload in a minute.");
    } else {
      problem("That did not work (answer " + status + "). Reload the page; if it happens again, tell your administrator.");
    }
  });
  document.addEventListener("htmx:sendError", function () {
    problem("No connection to Guiderail. Nothing was sent. Check your network and try again.");
  });
})();
