// The arrow keys follow the links from step to step; Home and End go to the first and the last one.

const LINKS = { ArrowLeft: "prev", ArrowRight: "next", Home: "first", End: "last" };

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (isTyping || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = LINKS[event.key] && document.querySelector(`.step-links a[rel="${LINKS[event.key]}"]`);
  if (!link) return;
  event.preventDefault();
  link.click();
});
