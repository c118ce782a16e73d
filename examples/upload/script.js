// fetch() does not tell how much has been sent; XMLHttpRequest does.
const form = document.forms[0], send = form.querySelector('button'), cancel = document.getElementById('cancel');
const progress = document.querySelector('progress'), state = document.getElementById('state');

function row(file) {
  const line = document.createElement('tr');
  const link = Object.assign(document.createElement('a'), { href: `files/${file.id}`, download: file.name });
  link.textContent = file.name; // never markup, whatever it is called
  line.insertCell().append(link);
  line.insertCell().append(file.size.toLocaleString());
  return line;
}

async function list() {
  const response = await fetch('files');
  if (response.ok)
    document.getElementById('files').replaceChildren(...(await response.json()).map(row));
}

function end(text) {
  state.textContent = text;
  send.disabled = false;
  cancel.hidden = true;
  list();
}

form.onsubmit = (event) => {
  event.preventDefault();
  const request = new XMLHttpRequest();
  request.upload.onprogress = ({ loaded, total }) => {
    progress.value = loaded / total;
    state.textContent = `${Math.floor(100 * loaded / total)} %`;
  };
  request.onload = () => {
    const answer = JSON.parse(request.responseText);
    end(request.status === 201 ? `${answer.name} is there.` : `${answer.title}: ${answer.detail ?? ''}`);
  };
  request.onerror = () => end('The connection broke.');
  request.onabort = () => end('Cancelled.');
  request.open('POST', 'files');
  request.setRequestHeader('Accept', 'application/json');
  cancel.onclick = () => request.abort();
  send.disabled = true;
  cancel.hidden = false;
  request.send(new FormData(form));
};

list();
