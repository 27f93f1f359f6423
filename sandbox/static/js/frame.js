// This page as the host of a dialog's frame, in the protocol of Microsoft's teams-js.

const SUPPORTS = { dialog: { card: {}, url: { bot: {}, parentCommunication: {} }, update: {} } };
const RUNTIME = JSON.stringify({ apiVersion: 4, hostVersionsInfo: {}, isLegacyTeams: false, supports: SUPPORTS });

// `submitted(result)` when the frame's page submits. Returns what ends the hosting.
export function host(frame, submitted) {
  window.addEventListener("message", hear);
  return () => window.removeEventListener("message", hear);

  function hear(event) {
    if (event.source !== frame.contentWindow || event.origin !== location.origin) return;
    const { id, uuidAsString, func, args } = event.data ?? {};
    if (func === "initialize") frame.contentWindow.postMessage({ id, uuidAsString, args: ["task", "web", RUNTIME, "2.31.0"] }, location.origin);
    if (func === "tasks.submitTask" || func === "tasks.completeTask") submitted(args?.[0]);
  }
}
