"""Which texts of the page in a browser are too weak against what they stand on: a script that gives them."""

# Contrast of all text with what it stands on, by WCAG 2.1; alpha is laid over the background below.
CONTRAST = """
const channels = (c) => { const m = c.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const ground = (e) => { const own = e ? channels(getComputedStyle(e).backgroundColor) : [255, 255, 255, 1];
  return own[3] === 1 || !e ? own : over(own, ground(e.parentElement)); };
const weak = new Set();
for (const e of document.querySelectorAll("body *")) {
  if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility() || e.closest("script, .apart, svg")) continue;
  const a = light(channels(getComputedStyle(e).color)), b = light(ground(e));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) weak.add(e.tagName + "." + e.className + " " + ratio.toFixed(2));
}
return [...weak];
"""
