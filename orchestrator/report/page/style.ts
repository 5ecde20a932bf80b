/** The page's only style. Every colour is a variable with a light and a dark value. Those of text have WCAG's contrast of 4.5 to 1 in both. */
const LIGHT = "--ink:#1d2733;--paper:#fff;--line:#d5dbe3;--soft:#f4f1ea;--idle:#5b6675;--good:#1d7a46;--bad:#b3261e;--warn:#8a5a00;--focus:#0b57d0;--on:#fff";
const DARK =
  "--ink:#e3e9f0;--paper:#14191f;--line:#35404c;--soft:#20272e;--idle:#a3afbd;--good:#5fd39a;--bad:#ff8f8a;--warn:#f0c050;--focus:#8ab4f8;--on:#14191f";

export const STYLE = `
:root{color-scheme:light dark;${LIGHT}}
@media(prefers-color-scheme:dark){:root{${DARK}}}
:root[data-theme=light]{color-scheme:light;${LIGHT}}
:root[data-theme=dark]{color-scheme:dark;${DARK}}
*{box-sizing:border-box}body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:76rem;padding:1rem;color:var(--ink);background:var(--paper)}
header{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:baseline}h1{margin:.2rem 0;font-size:1.5rem}h2{font-size:1.15rem;margin:1.6rem 0 .4rem}h3{font-size:1rem;margin:.6rem 0 .2rem}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1rem;padding:0;margin:.5rem 0;list-style:none}a{color:var(--focus)}
.tools{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin:.5rem 0}input,button{font:inherit;color:inherit;background:var(--paper);border:1px solid var(--idle);border-radius:4px;padding:.3rem .6rem;max-width:100%}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
.wide{overflow-x:auto}table{border-collapse:collapse;margin:.5rem 0}td,th{padding:.15rem .8rem .15rem 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
.lanes{display:grid;grid-template-columns:max-content 1fr max-content;gap:.2rem .8rem;align-items:center}
.axis{position:relative;height:.9rem;min-width:4rem}.axis i{position:absolute;top:0;height:100%;border-radius:3px;background:var(--idle);min-width:2px}
.axis i.succeeded{background:var(--good)}.axis i.failed{background:var(--bad)}.axis i.cancelled{background:var(--warn)}.critical{font-weight:700}
pre{background:var(--soft);padding:.5rem;white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0}details{margin:.5rem 0}summary{cursor:pointer}.failure{border-left:4px solid var(--bad);padding-left:.8rem}
.hosts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(16rem,100%),1fr));gap:.8rem}.host,.vm{border:1px solid var(--line);border-radius:6px;padding:.5rem}.vm{margin-top:.4rem;background:var(--soft);border-left:5px solid var(--idle)}
.vm ul{margin:.2rem 0 0;padding-left:1.1rem}.mark{font-weight:700}.is-changed{color:var(--good)}.is-failed,.is-deleted,.is-replaced{color:var(--bad)}.is-same,.is-unknown{color:var(--idle)}
.vm.is-changed{border-left-color:var(--good);color:inherit}.vm.is-failed,.vm.is-deleted,.vm.is-replaced{border-left-color:var(--bad);color:inherit}.vm.is-same,.vm.is-unknown{color:inherit}
svg{max-width:100%;height:auto}svg text{fill:var(--ink);font:13px system-ui,sans-serif}svg rect{fill:var(--paper);stroke:var(--idle);stroke-width:1.5}svg .succeeded rect,svg .unaffected rect{stroke:var(--good)}svg .failed rect{stroke:var(--bad);stroke-width:3}svg .cancelled rect,svg .skipped rect{stroke:var(--warn);stroke-dasharray:5 3}svg .critical rect{stroke-width:4}svg path{fill:none;stroke:var(--idle);stroke-width:1.5}svg path.critical{stroke-width:3;stroke:var(--ink)}
.from{text-decoration:line-through;color:var(--idle)}[hidden]{display:none!important}
@media(max-width:30rem){body{padding:.6rem;font-size:14px}td,th{padding-right:.4rem}.lanes{grid-template-columns:1fr;gap:0}.lanes .axis{margin-bottom:.4rem}}
@media print{.tools,nav{display:none}body{max-width:none}section{break-inside:avoid-page}details>*{display:block}}
`;
