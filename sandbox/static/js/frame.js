// This page as the host of a dialog's frame, in the protocol of Microsoft's teams-js.
import { openSignIn } from "./sign_in.js";

const SUPPORTS = { dialog: { card: {}, url: { bot: {}, parentCommunication: {} }, update: {} } };
const RUNTIME = JSON.stringify({ apiVersion: 4, hostVersionsInfo: {}, isLegacyTeams: false, supports: SUPPORTS });

// `submitted(result)` when the frame's page submits. Returns what ends the hosting.
export function host(frame, submitted) {
  window.addEventListener("message", hear);
  return () => window.removeEventListener("message", hear);

  function hear(event) {
    if (event.source !== frame.contentWindow || event.origin !== location.origin) return;
    const { id, uuidAsString, func, args } = event.data ?? {};
    const answers = {
      initialize: () => reply(["task", "web", RUNTIME, "2.31.0"]),
      "authentication.authenticate": () => openSignIn(String(args?.[0]), {
        finish: (code) => reply([true, code]), fail: (reason) => reply([false, reason]),
      }),
      // By the names of older and newer versions of the library.
      "tasks.submitTask": () => submitted(args?.[0]),
      "tasks.completeTask": () => submitted(args?.[0]),
    };
    answers[func]?.();

    function reply(values) {
      frame.contentWindow?.postMessage({ id, uuidAsString, args: values }, location.origin);
    }
  }
}
