// pql.story()'s Markdown, as elements: a heading, bold words, paragraphs, lists. Nothing in it is taken for HTML.
import {html} from "htl";

const bold = (text) => text.split(/\*\*(.+?)\*\*/).map((part, n) => (n % 2 ? html`<strong>${part}</strong>` : part));

export function story(markdown) {
  if (!markdown) return html`<div class="empty">There is no story of it.</div>`;
  return html`<div class="story">${markdown.split(/\n{2,}/).map((block) => {
    if (block.startsWith("# ")) return html`<h1>${block.slice(2)}</h1>`;
    if (/^[-*] /.test(block)) return html`<ul>${block.split(/\n(?=[-*] )/).map((line) => html`<li>${bold(line.slice(2))}</li>`)}</ul>`;
    return html`<p>${bold(block)}</p>`;
  })}</div>`;
}
