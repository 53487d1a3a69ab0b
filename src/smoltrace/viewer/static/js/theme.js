/* Runs before the first paint, so that no page flashes in the other colours. Follows the system until a theme is chosen. */
(function () {
  var system = matchMedia('(prefers-color-scheme: dark)');
  function chosen() {
    try {
      return localStorage.getItem('smoltrace-theme');
    } catch (error) {
      return null; // storage is refused: a file, or a private window
    }
  }
  function apply() {
    var name = chosen();
    var theme = name === 'dark' || name === 'light' ? name : system.matches ? 'dark' : 'light';
    if (document.documentElement.dataset.theme === theme) return;
    document.documentElement.dataset.theme = theme;
    dispatchEvent(new CustomEvent('smoltrace:theme', {detail: theme}));
  }
  apply();
  system.addEventListener('change', apply);
  addEventListener('storage', apply);
})();
