// A link from elsewhere comes without the cookie (SameSite=Strict): who is signed in already sees the page after all.
const base = document.documentElement.dataset.base;
const answer = await fetch(`${base}/session`, { headers: { accept: "application/json" } });
if (answer.ok && (await answer.json()).may_look && document.referrer && !document.querySelector(".problem")) {
  location.replace(location.href);
}
