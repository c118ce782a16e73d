// An event says that there is something new; what that is, the page is asked for. So nothing is lost while the line is
// broken, and nothing comes twice. (A browser opens a broken line again by itself.)
const list = document.getElementById('entries');

async function load() {
  const response = await fetch('/');
  if (!response.ok)
    return;
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  list.replaceChildren(...page.getElementById('entries').children);
}

let turn = Promise.resolve(); // one after the other
const next = () => { turn = turn.then(load).catch(() => {}); };

const events = new EventSource('/events');
events.onopen = next;
events.onmessage = next;
