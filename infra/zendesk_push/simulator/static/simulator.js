// What a real Admin Center does by itself, and pages that keep up to date. Without scripts a button, a link and
// "reload" do the same.
"use strict";
const handover = document.getElementById("handover");
if (handover) {
  handover.querySelector("button").hidden = true;
  handover.submit();
}
const back = document.getElementById("back");
if (back && window.top !== window) {
  try {
    window.top.location.assign(back.href);
  } catch {
    // The window is another origin's (a host-mapped domain): the link is there to click.
  }
}

const live = document.querySelectorAll("[data-live]");

// Whoever is about to press a button, or reads a selected line, keeps what is there.
function inUse(part) {
  const selection = window.getSelection();
  return (
    (part.contains(document.activeElement) && document.activeElement.matches("a, button, summary, input, select, textarea")) ||
    (selection && !selection.isCollapsed && part.contains(selection.anchorNode))
  );
}

async function update() {
  if (document.hidden) {
    return;
  }
  const answer = await fetch(window.location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) {
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of live) {
    const other = fresh.getElementById(part.id);
    if (!other || inUse(part)) {
      continue;
    }
    for (const open of part.querySelectorAll("details[open][id]")) {
      other.querySelector(`details[id="${open.id}"]`)?.setAttribute("open", "");
    }
    if (part.innerHTML !== other.innerHTML) {
      part.replaceChildren(...other.childNodes);
    }
  }
}

async function keepUp() {
  try {
    await update();
  } catch {
    // The simulator has stopped, or is busy: the page stays as it is.
  }
  window.setTimeout(keepUp, 1500);
}
if (live.length) {
  window.setTimeout(keepUp, 1500);
}
