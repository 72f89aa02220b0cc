// The widgets were written for MathJax 2 and ask its Hub to typeset their labels; ours hold no formulas.
document.addEventListener("DOMContentLoaded", () => {
  if (window.MathJax) window.MathJax.Hub ??= { Queue() {} };
});

// A slider of ipywidgets shows its name and its value beside its handle; a screen reader needs them on the handle.
function nameSlider(slider) {
  const [handle, name, value] = [".noUi-handle", ".widget-label", ".widget-readout"].map((part) => slider.querySelector(part));
  if (!handle || handle.ariaLabel) return;
  handle.ariaLabel = name.textContent.replace(/:$/, "");
  const say = () => { handle.ariaValueText = value.textContent; };
  new MutationObserver(say).observe(value, { childList: true, characterData: true, subtree: true });
  say();
}

new MutationObserver(() => document.querySelectorAll(".widget-hslider").forEach(nameSlider))
  .observe(document.body, { childList: true, subtree: true });

// What scrolls sideways can be reached by keyboard, also when it only comes into view later.
const scrollers = new ResizeObserver((entries) => entries.forEach(({ target }) => {
  target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
}));
document.querySelectorAll(".bd-article :is(pre, figure, div.math)").forEach((node) => scrollers.observe(node));
