/// Fields of a census, in the order of docs/census-data.md.
extension JSONWriter {
  mutating func censusHead(_ edition: CensusEdition, _ marking: TLP) {
    let report = edition.report
    key("schema_version")
    value(CensusEdition.schemaVersion)
    key("version")
    value(edition.version)
    key("tlp")
    value(marking.rawValue)
    key("botnet")
    value(report.botnet)
    key("window")
    censusWindow(report.hours)
    key("sensors")
    texts(report.sensors)
    key("audience")
    value(edition.audience == .everybody ? "everybody" : "operators")
    key("hidden")
    beginObject()
    key("countries")
    value(edition.hidden.countries)
    key("live_of_countries")
    value(edition.hidden.liveOfCountries)
    key("networks")
    value(edition.hidden.networks)
    key("hours")
    value(edition.hidden.hours)
    key("days")
    value(edition.hidden.days)
    key("is_all")
    value(edition.hidden.isAll)
    endObject()
  }

  private mutating func texts(_ list: [String]) {
    beginArray()
    for text in list { value(text) }
    endArray()
  }

  /// Where an hour begins.
  private mutating func hour(_ hour: UInt32) { value(Timestamp(seconds: Int64(hour) * 3600)) }

  private mutating func censusWindow(_ hours: ClosedRange<UInt32>) {
    beginObject()
    key("first")
    hour(hours.lowerBound)
    key("end")
    value(Timestamp(seconds: (Int64(hours.upperBound) + 1) * 3600))
    key("hours")
    value(Int(hours.upperBound - hours.lowerBound) + 1)
    endObject()
  }

  mutating func censusRange(_ range: CensusRange?) {
    guard let range else { return null() }
    beginObject()
    key("low")
    value(range.low)
    key("value")
    value(range.value)
    key("high")
    value(range.high)
    endObject()
  }

  mutating func censusFigure(_ figure: CensusFigure?) {
    guard let figure else { return null() }
    beginObject()
    key("kind")
    value(figure.kind.rawValue)
    key("window")
    censusWindow(figure.hours)
    key("machines")
    censusRange(figure.machines)
    key("at_most")
    value(figure.atMost)
    key("addresses")
    value(figure.addresses)
    key("inflation")
    value(figure.inflation)
    key("grade")
    value(figure.grade.rawValue)
    endObject()
  }

  mutating func censusPart(_ part: CensusPart) {
    beginObject()
    switch part.place {
    case .country(let code):
      key("country")
      value(code == .unknown ? nil : code.description)
    case .system(let number):
      key("asn")
      value(number == 0 ? nil : Int(number))
    }
    key("live")
    censusFigure(part.live)
    key("footprint")
    censusFigure(part.footprint)
    key("is_anchor")
    value(part.isAnchor)
    key("is_shared")
    value(part.isShared)
    endObject()
  }

  mutating func censusCaveats(_ caveats: [CensusCaveat]) {
    key("caveats")
    beginArray()
    for caveat in caveats {
      beginObject()
      key("code")
      value(caveat.code)
      key("text")
      value(caveat.text)
      key("refuses")
      value(caveat.refuses?.rawValue)
      endObject()
    }
    endArray()
  }

  mutating func censusBasis(_ basis: CensusBasis) {
    beginObject()
    key("rows")
    value(basis.rows)
    key("dropped")
    beginObject()
    for (reason, rows) in basis.dropped.sorted(by: { $0.key < $1.key }) {
      key(text: reason)
      value(rows)
    }
    endObject()
    key("anchors")
    value(basis.anchors)
    key("anchor_share")
    value(basis.anchorShare)
    key("sharing")
    value(basis.sharing.rawValue)
    key("machines_per_address")
    value(basis.machinesPerAddress)
    key("visibility")
    value(basis.visibility)
    key("check_in_seconds")
    value(basis.checkInSeconds)
    key("shared_share")
    value(basis.sharedShare)
    key("identity_life_hours")
    value(basis.identityLifeHours)
    key("theta")
    value(basis.theta)
    key("silent_hours")
    beginObject()
    for (sensor, hours) in basis.silentHours.sorted(by: { $0.key < $1.key }) {
      key(text: sensor)
      beginArray()
      for hour in hours { self.hour(hour) }
      endArray()
    }
    endObject()
    endObject()
  }
}
