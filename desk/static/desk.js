"use strict";
// Forms marked data-post are sent as JSON; the answer's HTML takes the place of the case that the form stands in.
const notice = document.getElementById("notice");

function notify(message, bad) {
  notice.className = bad ? "bad" : "";
  notice.textContent = message;
}

async function send(path, fields) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    credentials: "same-origin",
    body: JSON.stringify(fields),
  });
  const body = await answer.json().catch(() => ({}));
  return { status: answer.status, body };
}

function fragmentOf(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-post]")) return;
  event.preventDefault();
  const fields = {};
  for (const [name, value] of new FormData(form, event.submitter)) {
    fields[name] = value instanceof File ? await value.text() : value;
  }
  const buttons = form.querySelectorAll("button");
  buttons.forEach((button) => (button.disabled = true));
  try {
    const { status, body } = await send(form.getAttribute("action"), fields);
    const bad = status >= 400;
    notify(bad && status !== 409 ? `${document.body.dataset.failed} ${body.message || status}` : body.message, bad);
    const old = form.closest("[data-case]");
    const fresh = body.html && fragmentOf(body.html);
    if (old && fresh) {
      const next = old.nextElementSibling;
      fresh.classList.add(bad ? "changed" : "done");
      old.replaceWith(fresh);
      // On to the next case; where something was refused, stay and look.
      const target = (bad ? fresh : next)?.querySelector("button, select");
      target?.focus();
    }
    if (!bad) document.getElementById("queued")?.removeAttribute("hidden");
  } catch (error) {
    notify(document.body.dataset.offline, true);
  } finally {
    buttons.forEach((button) => (button.disabled = false));
  }
});

const apply = document.getElementById("apply");
apply?.addEventListener("click", async () => {
  const bar = document.getElementById("queued");
  apply.disabled = true;
  try {
    const airflow = apply.dataset.airflow;
    const { status, body } = await send(apply.dataset.path, airflow ? { logical_date: null } : {});
    if (status >= 400) return notify(`${document.body.dataset.failed} ${body.message || body.detail || status}`, true);
    if (airflow) return notify(bar.dataset.started);
    notify(bar.dataset.running);
    let state = body;
    while (state.running) {
      await new Promise((done) => setTimeout(done, 700));
      state = await (await fetch("apply", { headers: { Accept: "application/json" } })).json();
    }
    if (state.error) return notify(`${document.body.dataset.failed} ${state.error}`, true);
    notify(`${bar.dataset.done.replace("{built}", state.built)} `);
    const see = document.createElement("a");
    see.href = `changes?run=${encodeURIComponent(state.run)}`;
    see.textContent = bar.dataset.see;
    notice.append(see);
    bar.hidden = true;
  } catch (error) {
    notify(document.body.dataset.offline, true);
  } finally {
    apply.disabled = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.matches("input, select, textarea")) return;
  event.preventDefault();
  document.getElementById("q").focus();
});
