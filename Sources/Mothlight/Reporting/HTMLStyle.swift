/// The page's style sheet: a printed report's calm, system fonts, and every text at a contrast of 4.5 or more (WCAG 2.2 AA).
package enum HTMLStyle {
  /// The page as it stands alone: dark where the reader's system is.
  static let sheet: Markup = """
    :root{\(light)}
    @media screen and (prefers-color-scheme:dark){:root{\(dark)}}
    \(rules)
    """

  package static let light: Markup = """
    --paper:#fbfaf7;--card:#fff;--ink:#1c1f22;--soft:#5a5f65;--line:#dedad1;--rail:#e8e4db;--bars:#77808a;--link:#1f4e79;
    --infected:#a11d1d;--suspicious:#7d5200;--no_sign:#2c5f4f;--not_enough_data:#5a5f65;--onbadge:#fff;
    --timing:#8a3b12;--fan_out:#6a3d9a;--dns:#1f5f8b;--payload:#a11d1d;--peer:#4d5d1e;--list:#00605c
    """

  package static let dark: Markup = """
    --paper:#15181b;--card:#1b1f23;--ink:#e7e4dd;--soft:#a5abb1;--line:#333a40;
    --rail:#2b3137;--bars:#7f8a94;--link:#8fc1ee;--infected:#ff8f85;--suspicious:#eebf55;--no_sign:#86cfb3;
    --not_enough_data:#a5abb1;--onbadge:#15181b;--timing:#f0a071;--fan_out:#c4a3ea;--dns:#84bfe8;--payload:#ff8f85;
    --peer:#b9cc7c;--list:#6fcfc8
    """

  package static let rules: Markup = """
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%}
    body{margin:0 auto;max-width:62rem;padding:1.2rem 1.4rem 3rem;background:var(--paper);color:var(--ink);
    font:15px/1.5 system-ui,-apple-system,"Segoe UI","Noto Sans","Liberation Sans",sans-serif;font-variant-numeric:tabular-nums}
    h1,h2,h3,.lead,.reason,h4{font-family:Charter,"Bitstream Charter","Iowan Old Style","Source Serif 4",Georgia,"Liberation Serif",serif}
    h1{font-size:2.15rem;line-height:1.15;font-weight:600;letter-spacing:-.01em;margin:1.6rem 0 1.1rem;text-wrap:balance}
    h2{font-size:1.3rem;font-weight:600;margin:2.6rem 0 .7rem;padding-top:.5rem;border-top:2px solid var(--ink)}
    h3{font-size:1.25rem;margin:0 0 .5rem;font-weight:600;display:flex;flex-wrap:wrap;gap:.3rem .7rem;align-items:center}
    h3 .m{font-size:1.2rem}h3 small{color:var(--soft);font-weight:400;font-size:1rem}
    h4{font-size:1.06rem;line-height:1.35;margin:.35rem 0 .7rem;font-weight:600;overflow-wrap:anywhere}
    p{margin:.5rem 0;max-width:46rem;text-wrap:pretty;overflow-wrap:anywhere}a{color:var(--link)}
    .lead,.reason{font-size:1.06rem}.reason{overflow-wrap:anywhere}
    .skip{position:absolute;left:-99rem}.skip:focus{left:1rem;background:var(--card);padding:.3rem}
    .mast{display:flex;align-items:center;gap:.8rem;border-bottom:1px solid var(--line);padding-bottom:.8rem;flex-wrap:wrap}
    .mast div{font-size:1.05rem;line-height:1.2}.mast div span{display:block;color:var(--soft);font-size:.85rem}
    .mast p{margin:0 0 0 auto;text-align:right;font-size:.85rem;color:var(--soft);line-height:1.4}
    .moth .w1{fill:var(--ink)}.moth .w2{fill:var(--soft)}.moth .body{fill:var(--ink);stroke:var(--paper);stroke-width:.8}
    .moth .eye{fill:var(--paper)}.moth .ant{fill:none;stroke:var(--ink);stroke-width:1.2;stroke-linecap:round}
    .counts{list-style:none;display:flex;flex-wrap:wrap;gap:.4rem 2.4rem;margin:0 0 .7rem;padding:0}
    .counts li{color:var(--c)}.counts b{font:600 2.1rem/1.1 Charter,"Bitstream Charter",Georgia,"Liberation Serif",serif;display:block}
    .counts .zero{color:var(--soft)}
    .infected{--c:var(--infected)}.suspicious{--c:var(--suspicious)}.no_sign{--c:var(--no_sign)}
    .not_enough_data{--c:var(--not_enough_data)}
    .tlp{background:#000;font:700 .8rem/1 system-ui,sans-serif;padding:.25em .5em;border-radius:3px;white-space:nowrap}
    .badge{background:var(--c);color:var(--onbadge);font:600 .8rem/1 system-ui,sans-serif;padding:.3em .6em;border-radius:3px;
    white-space:nowrap;display:inline-block}
    .m{font-family:ui-monospace,"SF Mono","Cascadia Mono",Consolas,"Liberation Mono",monospace;font-size:.92em;overflow-wrap:anywhere}
    .tag{--c:var(--soft);color:var(--c);border:1px solid var(--c);border-radius:3px;font-size:.78rem;line-height:1.3;
    padding:0 .4em;white-space:nowrap;display:inline-block}
    .tag.solid{background:var(--ink);color:var(--paper);border-color:var(--ink)}
    .f-timing{--c:var(--timing)!important}.f-fan_out{--c:var(--fan_out)!important}.f-dns{--c:var(--dns)!important}
    .f-payload{--c:var(--payload)!important}.f-peer{--c:var(--peer)!important}.f-list{--c:var(--list)!important}
    .botnet{color:var(--infected)}
    table{border-collapse:collapse;width:100%;font-size:.9rem;margin:.6rem 0}
    caption{text-align:left;color:var(--soft);font-size:.85rem;padding-bottom:.3rem}
    th,td{text-align:left;vertical-align:top;padding:.32rem .8rem .32rem 0;border-bottom:1px solid var(--line)}
    th{font-weight:400}th:last-child,td:last-child{padding-right:0}
    thead th{color:var(--soft);font-size:.82rem;border-bottom-color:var(--soft)}tfoot th,tfoot td{font-weight:600}
    .n{text-align:right;white-space:nowrap}.why{overflow-wrap:anywhere;min-width:16rem}
    .verdicts th.m,.verdicts td.m{white-space:nowrap}
    .story{margin:.4rem 0 .8rem;padding-left:1.4rem}.story li{margin:.2rem 0;overflow-wrap:anywhere}.story time{color:var(--soft)}
    .caveats{color:var(--soft);font-size:.9rem;margin:.4rem 0;padding-left:1.2rem}
    .sub{color:var(--soft);font-size:.84rem;overflow-wrap:anywhere;font-family:system-ui,sans-serif}
    .note{color:var(--soft)}.warn{color:var(--suspicious)}p.warn{border-left:3px solid var(--suspicious);padding-left:.7rem}
    .scroll{overflow-x:auto;margin:0}
    .coverage th[scope=row]{min-width:16rem}.coverage .shares{width:90px}
    .shares{display:block;width:100%;height:8px;margin:.35rem 0}
    .s-infected{fill:var(--infected)}.s-suspicious{fill:var(--suspicious)}.s-no_sign{fill:var(--no_sign)}
    .s-not_enough_data{fill:var(--line)}.s-used{fill:var(--no_sign)}.s-skipped{fill:var(--bars)}.s-unparsed{fill:var(--infected)}
    .host{border-left:4px solid var(--c);padding-left:1.1rem;margin:1.6rem 0 2.6rem}
    figure{margin:.8rem 0}figcaption{font-size:.82rem;color:var(--soft)}
    svg text{font:11px system-ui,"Liberation Sans",sans-serif;fill:var(--ink)}svg text.faint{fill:var(--soft);font-size:10px}
    .timeline{display:block;width:100%;min-width:600px}
    .bars{fill:var(--bars)}.axis{stroke:var(--soft);fill:none}.grid{stroke:var(--line);fill:none}
    rect[class^=f-]{fill:var(--c);fill-opacity:.85}
    .families{width:auto;min-width:min(26rem,100%)}.families .wide{width:13rem}.bar{display:block;width:100%;height:10px;margin-top:.35em}
    .families .sum th,.families .sum td{font-weight:600;border-bottom:0;border-top:1px solid var(--soft)}
    .finding{background:var(--card);border:1px solid var(--line);border-top:3px solid var(--c);border-radius:3px;
    padding:.7rem 1rem .8rem;margin:1rem 0}
    .finding>header{display:flex;flex-wrap:wrap;gap:.2rem .7rem;align-items:baseline;font-size:.85rem}
    .finding small,.odds{color:var(--soft)}.odds{margin-left:auto}
    .duo{display:flex;flex-wrap:wrap;gap:0 2rem;align-items:flex-start}.measures{flex:1 1 25rem;width:auto}
    .histogram{flex:1 1 17rem;max-width:24rem;margin:.4rem 0}.histogram svg{display:block;width:100%}
    .histogram .bars{fill:var(--timing)}
    .limit{white-space:nowrap;color:var(--soft)}.met{color:var(--ink);font-weight:600}.gauge{display:block;margin-top:.25em}
    .gauge .rail{fill:var(--rail)}.gauge .met{fill:var(--c)}.gauge .unmet{fill:var(--bars)}
    .tick{stroke:var(--ink);stroke-width:2}
    .facts{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;font-size:.88rem;margin:.5rem 0}
    .facts dt,.terms dt{color:var(--soft)}.facts dd,.terms dd{margin:0;overflow-wrap:anywhere}
    .terms{display:grid;grid-template-columns:max-content minmax(0,44rem);gap:.35rem 1.2rem;font-size:.92rem}
    details{margin:.6rem 0}summary{cursor:pointer;color:var(--link);font-size:.9rem}
    .records td{white-space:nowrap;font-size:.86rem}.records td .sub{white-space:normal;min-width:15rem;max-width:26rem}.day{color:var(--soft)}
    .hosts{list-style:none;padding:0;margin:.5rem 0;columns:9.5rem;font:.86rem ui-monospace,"Liberation Mono",monospace}
    .vh{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
    footer{margin-top:3rem;color:var(--soft);font-size:.88rem}footer h2{color:var(--ink)}
    @media (max-width:620px){body{padding:.9rem .9rem 2rem}h1{font-size:1.6rem}.mast p{margin:0;text-align:left;width:100%}
    .counts{gap:.4rem 1.1rem;font-size:.85rem}.counts b{font-size:1.6rem}.host{padding-left:.7rem}.finding{padding:.6rem .7rem}
    .stack thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
    .stack,.stack tbody,.stack caption{display:block}.stack tr{display:flex;flex-wrap:wrap;gap:.1rem .7rem;border-bottom:1px solid var(--line);
    padding:.5rem 0}.stack th,.stack td{border:0;padding:0}.stack .why{flex:1 1 100%}
    .measures thead th:last-child,.measures td:last-child{display:none}.limit{white-space:normal}
    .records td{white-space:normal}.coverage th[scope=row]{min-width:11rem}.terms{grid-template-columns:1fr}.terms dd{margin-bottom:.4rem}}
    @media print{@page{size:A4;margin:16mm 15mm}html{font-size:12.5px}body{max-width:none;padding:0;font-size:9.5pt;background:#fff}
    :root{--paper:#fff}.skip{display:none}.finding,tr,figure,h3{break-inside:avoid}h2,h3,h4,summary,thead{break-after:avoid}
    .scroll{overflow:visible}.timeline{min-width:0}.records{table-layout:fixed}.records td{white-space:normal;font-size:.8rem}
    .records td .sub{min-width:0}
    .records th:nth-child(1){width:18%}.records th:nth-child(2){width:28%}.records th:nth-child(3),.records th:nth-child(4){width:9%}
    .why,.coverage th[scope=row]{min-width:0}.verdicts th.m{white-space:normal}
    details::details-content{content-visibility:visible;block-size:auto}a{color:inherit;text-decoration:none}
    *{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
    """
}
