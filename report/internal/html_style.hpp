// How the report looks.
#pragma once

#include <string_view>

namespace venvoy::report::internal {

inline constexpr std::string_view html_style = R"css(
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f6f7f9; --line: #d9dde3; --text: #1c2127; --quiet: #59626e; --accent: #2f5f9e;
  --good: #1f7a45; --good-ground: #e5f3ea; --bad: #b3261e; --bad-ground: #fbeae8; --warn: #8a5a00; --warn-ground: #fdf3dc;
  --bar-deploy: #b9a3d8; --bar-start: #e0b25c; --bar-run: #5b8fd1; --bar-failed: #d4574e; --bar-resolve: #7fb8b0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171a; --raised: #1d2126; --line: #343a42; --text: #e4e7eb; --quiet: #a3acb8; --accent: #8ab4f0;
    --good: #6cc48d; --good-ground: #16301f; --bad: #f0857c; --bad-ground: #3a1715; --warn: #e3b75b; --warn-ground: #332a14;
    --bar-deploy: #8f78b5; --bar-start: #c2933d; --bar-run: #4b7fc2; --bar-failed: #cf5a51; --bar-resolve: #4f9288;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
/* What is jumped to does not hide behind the navigation. */
html { scroll-padding-top: 56px; }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
a { color: var(--accent); }
code, pre, .mono { font: 13px/1.5 ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.page { max-width: 1180px; margin: 0 auto; padding: 0 24px 48px; }
.skip { position: absolute; left: -9999px; }
.skip:focus { left: 12px; top: 12px; background: var(--ground); padding: 8px 12px; z-index: 2; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
header { padding: 32px 0 8px; }
.kicker { margin: 0; color: var(--quiet); font-size: 13px; }
h1 { margin: 2px 0 10px; font-size: 28px; line-height: 1.25; overflow-wrap: anywhere; }
.verdict { margin: 0; font-size: 17px; display: flex; flex-wrap: wrap; gap: 10px; align-items: center; }
.state { display: inline-block; border-radius: 99px; padding: 1px 10px; font-size: 13px; font-weight: 600; white-space: nowrap;
  background: var(--raised); color: var(--quiet); border: 1px solid transparent; }
.verdict .state { font-size: 15px; padding: 3px 14px; }
.state.succeeded { background: var(--good-ground); color: var(--good); }
.state.failed, .state.died { background: var(--bad-ground); color: var(--bad); }
.state.cancelled, .state.running { background: var(--warn-ground); color: var(--warn); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 22px 0 0; }
.tiles div { background: var(--raised); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px; }
.tiles dt { color: var(--quiet); font-size: 13px; }
.tiles dd { margin: 0; font-size: 20px; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.tiles dd small { font-size: 13px; font-weight: 400; color: var(--quiet); }
nav { position: sticky; top: 0; z-index: 1; background: var(--ground); border-bottom: 1px solid var(--line); margin: 20px 0 0; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 0; padding: 10px 0; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
section { padding-top: 14px; }
h2 { font-size: 19px; margin: 22px 0 10px; }
h3 { font-size: 15px; margin: 16px 0 6px; }
.quiet { color: var(--quiet); }
.problem { border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: 8px; padding: 10px 14px; margin: 0 0 10px; background: var(--raised); }
.problem h3 { margin: 0 0 4px; }
.problem p { margin: 0 0 6px; }
pre { margin: 0; padding: 10px 12px; background: var(--raised); border: 1px solid var(--line); border-radius: 8px; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 420px; overflow: auto; }
.problem pre { background: var(--ground); max-height: 260px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 16px; }
.pair > div { min-width: 0; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0 0 8px; padding: 0; list-style: none; color: var(--quiet); font-size: 13px; }
.legend i, .track i { border-radius: 3px; }
.legend i { display: inline-block; width: 12px; height: 12px; margin-right: 6px; vertical-align: -1px; }
.b-resolve { background: var(--bar-resolve); } .b-build { background: var(--bar-deploy); } .b-install, .b-start { background: var(--bar-start); }
.b-deploy { background: var(--bar-deploy); } .b-run { background: var(--bar-run); } .b-bad { background: var(--bar-failed); }
.gantt { border: 1px solid var(--line); border-radius: 10px; max-height: 70vh; overflow: auto; }
.gantt ol { list-style: none; margin: 0; padding: 4px 0; }
.gantt li, .axis { display: grid; grid-template-columns: minmax(110px, 220px) 1fr 84px; gap: 12px; padding: 0 14px; align-items: center; }
.gantt li { min-height: 24px; content-visibility: auto; contain-intrinsic-size: auto 24px; }
.gantt li:hover { background: var(--raised); }
.gantt a { text-decoration: none; }
.gantt a:hover { text-decoration: underline; }
.gantt .row-name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: 13px; }
.gantt .took { text-align: right; font-size: 13px; color: var(--quiet); font-variant-numeric: tabular-nums; }
.track { position: relative; height: 14px; }
.track i { position: absolute; top: 0; bottom: 0; min-width: 3px; }
.axis { position: sticky; top: 0; background: var(--ground); border-bottom: 1px solid var(--line); font-size: 12px; color: var(--quiet); }
.axis .track { height: 24px; }
.axis .track span { position: absolute; top: 3px; transform: translateX(-50%); white-space: nowrap; }
.axis .track span:first-child { transform: none; }
.tools { display: flex; flex-wrap: wrap; gap: 10px 16px; align-items: end; margin: 0 0 10px; }
.tools label { font-size: 13px; color: var(--quiet); display: grid; gap: 2px; }
.tools input, .tools select, button { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 8px; padding: 5px 10px; }
.tools input { min-width: 240px; }
.tools output { font-size: 13px; color: var(--quiet); padding-bottom: 6px; }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; font-weight: 600; color: var(--quiet); font-size: 13px; background: var(--raised); }
th, td { padding: 6px 14px; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:last-child > * { border-bottom: 0; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td .mono, td.mono { overflow-wrap: anywhere; }
tbody th { background: none; color: inherit; font-size: 14px; font-weight: 500; overflow-wrap: anywhere; }
tbody th button { border: 0; padding: 0; background: none; color: var(--accent); text-align: left; cursor: pointer; font-weight: 500; overflow-wrap: anywhere; }
tbody th button::before { content: "\25B8\00A0"; display: inline-block; transition: transform .1s; }
tbody th button[aria-expanded="true"]::before { transform: rotate(90deg); }
tr.step-detail > td { background: var(--raised); padding: 12px 18px 18px; }
tr.step-detail pre { background: var(--ground); }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px; margin: 0; font-size: 14px; }
dl.facts dt { color: var(--quiet); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
ul.needs { margin: 4px 0 0; padding-left: 20px; }
.log { max-height: 360px; }
.log .at { color: var(--quiet); user-select: none; }
figure { margin: 0; text-align: center; overflow: auto; border: 1px solid var(--line); border-radius: 10px; padding: 12px; max-height: 80vh; }
footer { margin-top: 40px; color: var(--quiet); font-size: 13px; border-top: 1px solid var(--line); padding-top: 12px; }
.note { background: var(--warn-ground); border-radius: 8px; padding: 8px 12px; }
@media (max-width: 640px) {
  .page { padding: 0 14px 32px; }
  .gantt li, .axis { grid-template-columns: 96px 1fr 64px; gap: 8px; padding: 0 8px; }
  .hide-small { display: none; }
}
@media print {
  :root { --ground: #ffffff; --raised: #f6f7f9; --line: #c9ced6; --text: #000000; --quiet: #444c56; --accent: #000000;
    --good: #1f7a45; --good-ground: #e5f3ea; --bad: #b3261e; --bad-ground: #fbeae8; color-scheme: light; }
  body { font-size: 11pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  nav, .tools, .skip { display: none !important; }
  .gantt, figure, pre, .log { max-height: none; overflow: visible; }
  .gantt li { content-visibility: visible; }
  section, .problem, tr { break-inside: avoid-page; }
  section { break-inside: auto; }
}
)css";

}  // namespace venvoy::report::internal
