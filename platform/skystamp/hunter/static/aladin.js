// Runs in a frame without our origin: all it knows is the position in its address.
"use strict";
const asked = new URLSearchParams(location.search);
const [ra, dec] = [Number(asked.get("ra")), Number(asked.get("dec"))];
const said = document.getElementById("said");
if (typeof A === "undefined") {
  said.textContent = "Aladin Lite can not be reached from here.";
} else {
  A.init.then(() => {
    A.aladin("#aladin", {
      survey: "CDS/P/PanSTARRS/DR1/color-z-zg-g",
      target: `${ra} ${dec}`,
      fov: 0.02,
      showReticle: true,
      cooFrame: "ICRSd",
    });
    said.remove();
  });
}
