// Starts the viewer of the API. Requests go to this server only; the session's own token against forgery goes with them.
(function () {
  "use strict";
  var root = document.documentElement;
  var place = document.getElementById("api-viewer");

  function dress() {
    root.classList.toggle("dark-mode", root.getAttribute("data-bs-theme") === "dark");
  }

  function withProtection(request) {
    var bearer = request.headers && request.headers.Authorization;
    var here = new URL(request.url, window.location.href).origin === window.location.origin;
    if (here && !bearer) {
      request.headers = request.headers || {};
      request.headers["X-CSRFToken"] = place.getAttribute("data-csrf");
    }
    return request;
  }

  // The viewer takes itself for the whole page; here it is a part of ours, which has its main landmark already.
  function asPart() {
    place.querySelectorAll("main").forEach(function (part) {
      part.setAttribute("role", "group");
      part.setAttribute("aria-labelledby", "viewer_title");
    });
  }

  dress();
  new MutationObserver(dress).observe(root, { attributes: true, attributeFilter: ["data-bs-theme"] });
  window.SwaggerUIBundle({
    url: place.getAttribute("data-document"),
    domNode: place,
    deepLinking: true,
    docExpansion: "none",
    defaultModelsExpandDepth: -1,
    filter: true,
    validatorUrl: null,
    persistAuthorization: false,
    requestInterceptor: withProtection,
    onComplete: asPart,
  });
})();
