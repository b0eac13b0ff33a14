/* What a slide holds is made smaller until it fits, and the keys of a presenter go from slide to slide. */
const LARGEST = 32, SMALLEST = 16;  // pixels
const slides = () => [...document.querySelectorAll("section")];
const overflows = slide => slide.scrollHeight > slide.clientHeight + 1 || slide.scrollWidth > slide.clientWidth + 1;

function fit() {
  for (const slide of slides()) {
    for (let size = LARGEST; size >= SMALLEST; size--) {
      slide.style.setProperty("--size", `${size}px`);
      if (!overflows(slide)) break;
    }
  }
}

function go(by) {
  const all = slides(), here = all.findIndex(slide => slide.getBoundingClientRect().bottom > innerHeight / 2);
  all[Math.min(Math.max(here + by, 0), all.length - 1)].scrollIntoView();
}
const KEYS = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1, Home: -1e6, End: 1e6 };
addEventListener("keydown", event => {
  if (!KEYS[event.key] || (event.key === " " && event.target.closest("summary, a"))) return;
  event.preventDefault();
  go(KEYS[event.key]);
});
addEventListener("resize", fit);
addEventListener("load", fit);

window.MathJax = {
  tex: { inlineMath: [["$", "$"], ["\\(", "\\)"]], displayMath: [["$$", "$$"], ["\\[", "\\]"]] },
  loader: { load: ["input/tex", "output/chtml", "a11y/assistive-mml"] },
  startup: { pageReady: () => MathJax.startup.defaultPageReady().then(fit) },
};
