// How Teams reads what the bot answered to an invoke.

export const UNREACHABLE = "Unable to reach the app. Please try again.";
export const WRONG = "Something went wrong. Please try again.";
const LOGIN = "application/vnd.microsoft.activity.loginRequest";

// The sentence of what went wrong, or an empty one.
export function problemOf(answer) {
  if (answer.late || answer.status === 0) return UNREACHABLE;
  if (answer.problem || answer.status >= 400) return WRONG;
  const { type, value, statusCode } = answer.body ?? {};
  if (type === LOGIN) return "";
  if (type === "application/vnd.microsoft.error" || statusCode >= 400) return value?.message ?? WRONG;
  return "";
}

// The link of a sign-in that the answer asks for, or nothing.
export function signInOf(answer) {
  const { type, value, composeExtension } = answer.body ?? {};
  if (type === LOGIN) return value?.buttons?.[0]?.value;
  if (["auth", "silentAuth"].includes(composeExtension?.type)) return composeExtension.suggestedActions?.actions?.[0]?.value;
  return undefined;
}
