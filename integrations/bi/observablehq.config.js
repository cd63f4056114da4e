// Dashboards of hand-offs. Everything is built from the views pql.bi_*, and nothing is fetched from anywhere else: no fonts, no scripts.
export default {
  title: "Hand-offs",
  root: "src",
  output: "dist",
  style: "style.css",
  globalStylesheets: [],
  head: '<link rel="icon" href="data:,">',
  search: false,
  toc: false,
  pager: false,
  footer: "",
  pages: [
    {name: "Funnel", path: "/index"},
    {name: "Speed to first touch", path: "/first-touch"},
    {name: "Promises (SLA)", path: "/sla"},
    {name: "Capacity and volume", path: "/capacity"},
    {name: "Signals", path: "/signals"},
    {name: "Calibration", path: "/calibration"},
    {name: "Pilots", path: "/pilots"},
    {name: "Rep fairness", path: "/reps"},
    {name: "Account", path: "/account"},
  ],
};
