/// What a census adds to the page's style: machines are blue, addresses amber, everywhere.
package enum CensusStyle {
  static let sheet: Markup = """
    :root{\(light)}
    @media screen and (prefers-color-scheme:dark){:root{\(dark)}}
    \(rules)
    """

  package static let light: Markup = """
    --ma:#14607f;--ad:#a05e16;--q0:#e9eef0;--q1:#cfe0e6;--q2:#a9cad6;--q3:#7db0c3;--q4:#4d92ac;--q5:#24728f;--q6:#0d4a62;
    --tile:#efece5;--ontile:#8a867c
    """

  package static let dark: Markup = """
    --ma:#74c4e0;--ad:#e6ab66;--q0:#1f2c33;--q1:#22404d;--q2:#27586b;
    --q3:#2f748c;--q4:#4493ad;--q5:#6fb7cd;--q6:#b3e2ef;--tile:#22282d;--ontile:#79828a
    """

  package static let rules: Markup = """
    h1.census{max-width:44rem;margin-bottom:.6rem}
    .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(13.2rem,1fr));gap:0;margin:1.3rem 0 .4rem;padding:0;list-style:none;
    border-top:1px solid var(--line)}
    .cards li{padding:.7rem 1rem .8rem 0;border-bottom:1px solid var(--line)}
    .cards h2{font:600 .86rem/1.3 system-ui,"Liberation Sans",sans-serif;border:0;margin:0;padding:0;color:var(--soft)}
    .cards b{display:block;font:600 2.05rem/1.15 Charter,"Bitstream Charter",Georgia,"Liberation Serif",serif;color:var(--ma)}
    .cards b.none{color:var(--suspicious);font-size:1.5rem;line-height:1.55}
    .cards p{margin:.1rem 0 0;font-size:.84rem;line-height:1.4;color:var(--soft)}.cards .ad{color:var(--ad)}
    .before{border-left:3px solid var(--suspicious);padding:.1rem 0 .1rem .9rem;margin:1.4rem 0}
    .before h2{font-size:1.06rem;border:0;margin:0;padding:0}.before ul{margin:.3rem 0;padding-left:1.1rem}.before li{margin:.25rem 0;max-width:46rem;overflow-wrap:anywhere}
    .before small{color:var(--soft)}
    .chart{display:block;width:100%;height:auto;overflow:visible}.pn{display:none}
    .chart .ma{fill:var(--ma)}.chart .ad{fill:var(--ad)}.chart text.ma,.chart text.ad{font-weight:600}
    .l-ma{fill:none;stroke:var(--ma);stroke-width:1.6;stroke-linejoin:round}.l-ad{fill:none;stroke:var(--ad);stroke-width:1.6;stroke-linejoin:round}
    .b-ma{fill:var(--ma);fill-opacity:.24}.r-ma{fill:var(--ma);fill-opacity:.1}.w-ma{stroke:var(--ma);stroke-width:1.2;fill:none}
    .p-ma{fill:var(--ma)}.p-ad{fill:var(--ad)}.o-ma{fill:var(--paper);stroke:var(--ma);stroke-width:1.6}.o-ad{fill:var(--paper);stroke:var(--ad);stroke-width:1.6}
    .b-ad{fill:var(--ad);fill-opacity:.22;stroke:var(--ad);stroke-dasharray:3 2}
    .w-ad{stroke:var(--ad);stroke-width:1.2;fill:none}.w-so{stroke:var(--bars);stroke-width:1.2;fill:none}.p-so{fill:var(--bars)}.o-so{fill:var(--paper);stroke:var(--bars);stroke-width:1.6}
    .mask{fill:var(--bars);fill-opacity:.22}.since{stroke:var(--ink);stroke-width:1.2}.dash{stroke:var(--soft);stroke-dasharray:4 3;fill:none}
    .chart .strong{font-weight:600;font-size:12px}.chart .big{font:600 15px Charter,"Bitstream Charter",Georgia,"Liberation Serif",serif}
    .chart text.end{text-anchor:end}.chart text.mid{text-anchor:middle}.chart text.soft{fill:var(--soft)}.chart text.tiny{font-size:9px}
    .chart text.paper{fill:var(--paper)}
    .q0{fill:var(--q0)}.q1{fill:var(--q1)}.q2{fill:var(--q2)}.q3{fill:var(--q3)}.q4{fill:var(--q4)}.q5{fill:var(--q5)}.q6{fill:var(--q6)}
    .tile{fill:var(--tile)}.qn{fill:none;stroke:var(--line)}.ring{fill:none;stroke:var(--ink);stroke-width:1.6}
    .chart text.t7{font-size:7.5px}.chart text.t0{fill:var(--ontile);font-size:9px}.chart text.t1{fill:var(--ink);font-size:9.5px;font-weight:600}.chart text.t2{fill:var(--paper);font-size:9.5px;font-weight:600}
    .key{font-size:.82rem;color:var(--soft);margin:.2rem 0 .3rem;max-width:none}.key span{white-space:nowrap;margin-right:1.1rem}
    .key i{display:inline-block;width:1.3em;height:.62em;margin-right:.4em;vertical-align:baseline;border-radius:1px}
    .k-ma{border-top:2px solid var(--ma);height:0!important;vertical-align:.28em!important}.k-ad{border-top:2px solid var(--ad);height:0!important;vertical-align:.28em!important}
    .k-b{background:var(--ma);opacity:.3}.k-r{background:var(--ma);opacity:.13}.k-x{background:var(--bars);opacity:.3}
    .ramp{display:inline-flex;vertical-align:-.1em;margin:0 .4em}.ramp svg{display:block}
    .pair{display:grid;grid-template-columns:minmax(0,7fr) minmax(0,4fr);gap:0 1.8rem;align-items:start}
    .prov{font-size:.78rem;color:var(--soft);border-top:1px dotted var(--line);padding-top:.25rem;margin:.35rem 0 0;max-width:none}
    .prov.bare{border:0}.say{font-size:1rem;max-width:46rem}.grounds{grid-template-columns:minmax(8rem,max-content) minmax(0,1fr)}
    .cc td:nth-child(n+2),.cc th:nth-child(n+2){text-align:right;white-space:nowrap}
    @media (max-width:620px){.key span{white-space:normal}.pw{display:none}.pn{display:block}.pair{grid-template-columns:1fr}
    .cards{grid-template-columns:1fr 1fr}.cards li{padding-right:.6rem}.cards b{font-size:1.55rem}.cards b.none{font-size:1.15rem;line-height:1.6}
    .grounds{grid-template-columns:1fr}.grounds dd{margin-bottom:.4rem}.cc{font-size:.82rem}.cc th,.cc td{padding-right:.5rem}}
    @media print{.cards{grid-template-columns:repeat(4,1fr)}.cards b{font-size:1.6rem}section{break-inside:auto}.before{break-inside:avoid}
    .pair{grid-template-columns:minmax(0,7fr) minmax(0,4fr)}}
    """
}
