// The page's own server.

export async function post(path, body = {}) {
  const answer = await fetch(`/sandbox/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

export const personPath = (id, what) => `people/${encodeURIComponent(id)}/${what}`;

export function listen(personId, onSnapshot, onConnection) {
  const source = new EventSource(`/sandbox/${personPath(personId, "events")}`);
  source.onmessage = (event) => onSnapshot(JSON.parse(event.data));
  source.onopen = () => onConnection(true);
  source.onerror = () => onConnection(false);
  return () => source.close();
}
