import Mothlight

/// The reports' style with what a dashboard adds: colours that can be chosen, ways between pages, forms, small charts.
enum DashboardStyle {
  static var sheet: String {
    let sheet: Markup = """
      :root{\(HTMLStyle.light);\(CensusStyle.light)}
      @media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){\(HTMLStyle.dark);\(CensusStyle.dark)}}
      @media screen{:root[data-theme=dark]{\(HTMLStyle.dark);\(CensusStyle.dark)}}
      \(HTMLStyle.rules)
      \(CensusStyle.rules)
      \(rules)
      """
    return sheet.text
  }

  /// The mark alone, for the browser's tab; a tab has no page's colours.
  static let icon = """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 40"><style>path{fill:#3d444b}@media (prefers-color-scheme:dark)\
    {path{fill:#e7e4dd}}</style><path d="M23 17C18 7 9 2 2 5c-1 8 5 16 20 17zM22.5 21C14 21 8 26 9 34c7 2 13-3 14.5-10z"/>\
    <path transform="matrix(-1 0 0 1 48 0)" d="M23 17C18 7 9 2 2 5c-1 8 5 16 20 17zM22.5 21C14 21 8 26 9 34c7 2 13-3 14.5-10z"/></svg>
    """

  private static let rules: Markup = """
    body.station{max-width:80rem;padding-top:0}
    .tlp-clear{color:#fff}.tlp-green{color:#3f0}.tlp-amber{color:#ffc000}.tlp-red{color:#ff2b2b}.tlp{justify-self:start;print-color-adjust:exact;-webkit-print-color-adjust:exact}
    .top{display:grid;grid-template-columns:auto auto minmax(0,1fr);gap:.2rem 1.4rem;align-items:center;padding:.9rem 0 0;border-bottom:1px solid var(--line)}
    .home{display:flex;align-items:center;gap:.7rem;color:inherit;text-decoration:none;line-height:1.15}.home b{font-size:1.1rem}
    .home small{display:block;color:var(--soft);font-size:.82rem}
    .top nav{grid-column:1/-1}.top nav ul{display:flex;flex-wrap:wrap;gap:0 .2rem;list-style:none;margin:.5rem -.6rem 0;padding:0}
    .top nav a{display:block;padding:.45rem .6rem;color:var(--ink);text-decoration:none;border-bottom:3px solid transparent;font-size:.95rem}
    .top nav a:hover{border-bottom-color:var(--line)}.top nav a[aria-current]{border-bottom-color:var(--ink);font-weight:600}
    .search{grid-column:3;justify-self:end;display:flex;gap:.4rem;width:min(26rem,100%)}.search input{flex:1;min-width:6rem}
    input,select,button,textarea{font:inherit;font-size:.92rem;color:var(--ink);background:var(--card);border:1px solid var(--bars);border-radius:4px;
    padding:.32rem .55rem;min-height:2.1rem}
    button{cursor:pointer;background:var(--paper)}button:hover{background:var(--rail)}
    button.do{background:var(--ink);color:var(--paper);border-color:var(--ink);font-weight:600}button.do:hover{opacity:.86}
    button.small{min-height:1.6rem;padding:.1rem .6rem;font-weight:400;background:none;color:var(--ink);border-color:var(--bars)}
    button.plain{border:0;background:none;color:var(--link);text-decoration:underline;padding:0;min-height:0}
    input[type=checkbox],input[type=radio]{min-height:0;width:1.05rem;height:1.05rem;margin:.15rem .5rem 0 0;accent-color:var(--link)}
    :focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:2px}main:focus{outline:0}
    .skip:focus{z-index:9;top:.4rem}
    .station h1{margin:1.5rem 0 .9rem}.over{margin:1.3rem 0 0;color:var(--soft)}.over+h1{margin-top:.15rem!important}.station h1 small{color:var(--soft);font-size:1.05rem;font-weight:400}
    .station h2{margin:1.9rem 0 .7rem;font-size:1.2rem}.station h2 a{color:inherit;text-decoration:none}.station h2 a:hover{text-decoration:underline}
    .station section:first-child>h2:first-child{margin-top:1.2rem}
    .two{display:grid;grid-template-columns:minmax(0,1fr) 19.5rem;gap:0 2.8rem;align-items:start}
    .two>aside h2:first-child{margin-top:1.5rem}
    .counts{gap:.5rem 2.2rem;margin-bottom:.6rem}.counts a{color:inherit;text-decoration:none;display:block}.counts a:hover{text-decoration:underline}
    .counts b{font-size:2.5rem}.counts li{white-space:nowrap}.fresh{--c:var(--ink)}
    .c-open{--c:var(--infected)}.c-acknowledged{--c:var(--suspicious)}.c-cleaned{--c:var(--no_sign)}.c-false_alarm{--c:var(--soft)}
    .days{margin:.2rem 0 0}.days .chart a:hover .s-infected,.days .chart a:hover .s-suspicious{opacity:.7}.days .hit{fill:transparent}
    .days a:focus-visible{outline:none}.days a:focus-visible .hit{fill:var(--rail)}
    .days .now .hit{fill:var(--rail)}.dot{fill:var(--ink)}path.gap{stroke:var(--bars);stroke-width:1.5;stroke-dasharray:2 2;fill:none}
    .k{display:inline-block;margin-right:1.2rem;white-space:nowrap}.k i{display:inline-block;width:.7em;height:.7em;margin-right:.4em;border-radius:1px}
    i.s-infected{background:var(--infected)}i.s-suspicious{background:var(--suspicious)}i.dot{background:var(--ink);border-radius:50%;width:.5em;height:.5em}
    i.gap{height:0;border-top:1.5px dashed var(--bars);vertical-align:.25em;width:1em}
    .new{display:inline-block;background:var(--ink);color:var(--paper);font:600 .78rem/1 system-ui,sans-serif;padding:.28em .5em;border-radius:3px}
    tbody th .m,tbody td>a.m{white-space:nowrap}thead th{white-space:nowrap}.when{white-space:nowrap;color:var(--soft)}.botnet{font-weight:600}a.botnet{color:var(--infected)}
    a.quiet{color:inherit;text-decoration-color:var(--line)}a.quiet:hover{text-decoration-color:currentColor}
    tbody th{font-weight:400}tbody tr:hover{background:color-mix(in srgb,var(--rail) 45%,transparent)}
    .verdicts .why{min-width:14rem}.spark{display:inline-block;vertical-align:middle}.spark .bars{fill:var(--ma)}
    .rows{list-style:none;margin:0;padding:0}.rows li{padding:.5rem 0;border-bottom:1px solid var(--line)}
    .rows li>span{display:block;color:var(--soft);font-size:.88rem}.rows .spark{float:right;margin:.1rem 0 0 .6rem}.rows li>span b{color:var(--ink)}
    .big b{font:600 1.6rem/1 Charter,"Bitstream Charter",Georgia,"Liberation Serif",serif;margin-right:.25rem}
    .lights{list-style:none;margin:0;padding:0}.lights li{display:grid;grid-template-columns:auto 1fr;gap:0 .6rem;padding:.4rem 0;border-bottom:1px solid var(--line)}
    .lights span{grid-column:2;color:var(--soft);font-size:.88rem}.lights i,.sensor h2 i{width:.7rem;height:.7rem;border-radius:50%;background:var(--d);align-self:center;display:inline-block}
    .good{--d:var(--no_sign)}.lossy{--d:var(--suspicious)}.bad{--d:var(--infected)}.idle{--d:var(--bars)}.bad i,.idle i{border-radius:1px!important}
    .lost{color:var(--infected)}
    .empty{border:1px solid var(--line);background:var(--card);border-radius:4px;padding:.6rem 1.1rem;margin:1rem 0;max-width:46rem}
    .steps li{margin:.5rem 0;max-width:44rem}code,kbd{font:.9em ui-monospace,"Cascadia Mono",Consolas,"Liberation Mono",monospace;background:var(--rail);padding:.05em .35em;border-radius:3px;overflow-wrap:anywhere}
    kbd{border:1px solid var(--bars);background:var(--card)}
    .filter{display:flex;flex-wrap:wrap;gap:.5rem .9rem;align-items:end;margin:.8rem 0 1rem;padding:.8rem 1rem;background:var(--card);border:1px solid var(--line);border-radius:4px}
    .filter p{margin:0}.filter label{display:block;font-size:.82rem;color:var(--soft)}.filter .check{align-self:center;padding-top:1rem}
    .check{display:flex;align-items:flex-start}.check label{font-size:.92rem!important;color:var(--ink)!important}.filter input:not([type]){width:9.5rem}
    .act{margin:.6rem 0}details.act>summary{display:inline-block;border:1px solid var(--bars);border-radius:4px;padding:.25rem .7rem;color:var(--ink);background:var(--card)}
    details.act[open]>summary{background:var(--rail)}.act form,form.act{border-left:3px solid var(--line);padding:.2rem 0 .4rem .9rem;margin:.6rem 0;max-width:46rem}
    .act fieldset{border:0;margin:0;padding:0}.act legend{font-weight:600;padding:0}.act label{display:block;font-size:.88rem}
    form.act.narrow{max-width:24rem}.top:not(:has(nav)){padding-bottom:.7rem}
    .act p{margin:.45rem 0}.act p:not(.check) label{color:var(--soft)}.act p:not(.check) input{width:100%}
    .done{border-left:3px solid var(--no_sign);padding:.35rem .8rem;background:var(--card);margin:1rem 0 0}
    .pager{margin:1rem 0}.strip{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem;margin:.7rem 0;padding:0}
    .strip a{display:block;padding:.1rem .45rem;font-size:.82rem;color:var(--ink);text-decoration:none;border:1px solid var(--line);border-top:4px solid var(--c)}
    .strip .no_sign,.strip .not_enough_data{--c:var(--line)}
    .strip a[aria-current]{background:var(--ink);color:var(--paper);border-color:var(--ink);border-top-color:var(--c)}
    .host.wide{border:0;padding:0;margin:0}.host.wide>h1{display:flex;flex-wrap:wrap;gap:.4rem .8rem;align-items:center}
    .past{padding-left:1.3rem}.past li{margin:.3rem 0;overflow-wrap:anywhere}
    .sensor h2{display:flex;flex-wrap:wrap;gap:.1rem .7rem;align-items:baseline}.sensor h2 small{font:400 .9rem system-ui,sans-serif;color:var(--soft);overflow-wrap:anywhere}
    .figures{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.8rem;margin:.6rem 0;padding:0;color:var(--soft);font-size:.9rem}
    .figures b{display:block;color:var(--ink);font-size:1.15rem}.figures .lost b{color:var(--infected)}
    .map{max-width:46rem}.plain li{margin:.4rem 0;max-width:46rem}
    .station footer{border-top:1px solid var(--line);padding-top:.8rem}.who{display:flex;flex-wrap:wrap;gap:.4rem 1.4rem;align-items:center}
    .themes button{min-height:1.7rem;padding:.05rem .6rem}.themes [aria-pressed=true]{background:var(--ink);color:var(--paper)}
    dialog{background:var(--card);color:var(--ink);border:1px solid var(--bars);border-radius:6px;padding:1rem 1.6rem 1.2rem;max-width:26rem}
    dialog h2{border:0!important;margin:0 0 .6rem!important;padding:0!important}dialog::backdrop{background:rgba(0,0,0,.45)}
    .keys{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.2rem}.keys dd{margin:0}
    .census>section:first-child>h1{margin-top:.4rem}
    @media (max-width:60rem){.two{grid-template-columns:minmax(0,1fr)}}
    @media (max-width:620px){.top{grid-template-columns:auto minmax(0,1fr)}.top .tlp{justify-self:end}.search{grid-column:1/-1;justify-self:stretch;width:auto}.counts b{font-size:1.9rem}
    .top nav ul{flex-wrap:nowrap;overflow-x:auto;margin:.4rem -.9rem 0;padding:0 .3rem}.top nav a{white-space:nowrap}
    .stack td[data-label]::before{content:attr(data-label) " ";color:var(--soft)}.stack td.n{text-align:left}.hint{display:none}
    .filter{gap:.6rem}.filter p{flex:1 1 8.5rem}.filter input,.filter select{width:100%!important}.filter input[type=checkbox]{width:1.05rem!important}.filter button{flex:1 1 100%}
    .stack td,.stack th{overflow-wrap:anywhere;max-width:100%}.station .verdicts .why{min-width:0}}
    @media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
    @media print{.top nav,.search,.filter,.act,form,footer .who,.pager,dialog{display:none!important}.two{grid-template-columns:minmax(0,1fr)}
    body.station{max-width:none}.top{display:flex;border:0}#live{display:none}
    .station .finding{break-inside:auto}.finding header{break-after:avoid}.measures,.facts{break-inside:avoid}.new,.badge{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
    """
}
