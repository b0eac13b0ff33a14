/* What is wider than its place scrolls by itself; the keyboard reaches it only where it can have the focus. */
const places = new ResizeObserver(entries => entries.forEach(({ target }) => {
  if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
  else target.removeAttribute("tabindex");
}));
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("pre, div.math, .table-wrapper, .text_plain").forEach(wide => places.observe(wide));
});
