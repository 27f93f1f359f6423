"use strict";
// Hands the outcome of a sign-in to the Teams window that opened this one. Without such a window
// there is nobody to tell, and the page's own sentence is enough.
(function () {
  var opened = window.opener || window.parent !== window.self;
  if (!opened || !window.microsoftTeams) return;
  var outcome = document.body.dataset;
  var teams = window.microsoftTeams;
  teams.app.initialize().then(function () {
    if (outcome.code) teams.authentication.notifySuccess(outcome.code);
    else teams.authentication.notifyFailure(outcome.reason);
  }, function () {});
})();
