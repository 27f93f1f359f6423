"use strict";
// The page of a dialog. Entra's pages refuse to stand in a frame, so a button opens them in Teams'
// own pop-up; the code that the pop-up hands back is the dialog's answer to the bot.
(function () {
  var reasons = JSON.parse(document.body.dataset.reasons);
  var teams = window.microsoftTeams;
  var button = document.getElementById("go");
  var said = document.getElementById("said");

  function failed(error) {
    var reason = String((error && error.message) || error || "");
    said.textContent = Object.hasOwn(reasons, reason) ? reasons[reason] : reasons[""];
    button.disabled = false;
  }

  button.addEventListener("click", function () {
    button.disabled = true;
    var start = window.location.origin + document.body.dataset.start;
    teams.app.initialize().then(function () {
      return teams.authentication.authenticate({ url: start, width: 600, height: 700 });
    }).then(function (code) {
      teams.dialog.url.submit({ code: code });
    }).catch(failed);
  });

  // Teams waits for this before it takes the page for loaded.
  if (window.parent !== window.self) teams.app.initialize().catch(function () {});
})();
