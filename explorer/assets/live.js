// Keeps a page up to date: every element with data-live is replaced by its new self when one of the named things changes.

const liveParts = () => [...document.querySelectorAll("[data-live]")];
