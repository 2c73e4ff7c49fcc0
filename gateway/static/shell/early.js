// Runs before the first paint, so that a page never flashes in the wrong colours: a plain script, not a module.
(() => {
  const kept = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null; // storage can be switched off; then the browser's own wishes hold
    }
  };
  const theme = kept("signstream.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
