/// Indicators that ship with the program: few, old enough to be history, and public.
enum BuiltinIndicators {
  static let lists = [mariposa]

  /// Command servers of the Mariposa botnet as published in 2010. No expiry: infected machines kept asking for years, but the
  /// names may be sinkholed or registered by somebody else since, so the list is not of high confidence.
  static let mariposa = IndicatorList(
    name: "mariposa-2010",
    source: "ICS-CERT ICSA-10-090-01, as carried by maltrail; sinkholed or re-registered since, possibly",
    day: CivilDate.daysSinceEpoch(year: 2010, month: 3, day: 31),
    indicators: mariposaDomains.map { Indicator(kind: .domain, value: $0, family: "Mariposa") })

  private static let mariposaDomains = [
    "bf2back.sinip.es", "bfisback.no-ip.org", "bfisback.sinip.es", "binaryfeed.in", "booster.estr.es",
    "butterfly.bigmoney.biz", "butterfly.sinip.es", "defintelsucks.com", "defintelsucks.net", "defintelsucks.sinip.es",
    "extraperlo.biz", "gusanodeseda.mobi", "gusanodeseda.net", "gusanodeseda.sinip.es", "lalundelau.sinip.es",
    "legion.sinip.es", "legionarios.servecounterstrike.com", "mierda.notengodominio.com", "qwertasdfg.sinip.es",
    "sexme.in",
    "shv4.no-ip.biz", "shv4b.getmyip.com", "tamiflux.net", "tamiflux.org", "thejacksonfive.biz", "thejacksonfive.mobi",
    "thejacksonfive.us", "thesexydude.com", "youare.sexidude.com", "yougotissuez.com",
  ]
}
