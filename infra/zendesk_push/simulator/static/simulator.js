// The two things a real Admin Center does by itself; without scripts a button and a link do them.
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
