/// What the registry says, as JSON (fields: docs/registry.md).
public struct RegistryJSON: Sendable {
  public static let schema = "1.1"

  private var json = JSONWriter(lineDepth: 2)
  private let time: Timestamp
  private let tlp: TLP

  /// - Parameters:
  ///   - time: the moment at which the standing is told.
  ///   - tlp: how far it may go; `RegistryMarking.contents` when nobody said more.
  public init(at time: Timestamp, tlp: TLP = RegistryMarking.contents) {
    self.time = time
    self.tlp = tlp
  }

  private mutating func begin() {
    json.beginObject()
    json.key("schema")
    json.value(Self.schema)
    json.key("tlp")
    json.value(tlp.rawValue)
    json.key("at")
    json.value(time)
  }

  private mutating func end() -> String {
    json.endObject()
    json.newline()
    return json.drain()
  }

  // MARK: Answers

  public mutating func list(_ rows: [BotnetSummary], expiryDays: Int) -> String {
    begin()
    json.key("expiry_days")
    json.value(expiryDays)
    json.key("botnets")
    json.beginArray()
    for row in rows { write(row, expiryDays) }
    json.endArray()
    return end()
  }

  public mutating func search(_ hits: [BotnetHit]) -> String {
    begin()
    json.key("hits")
    json.beginArray()
    for hit in hits {
      json.beginObject()
      fields(id: hit.id, name: hit.name, kind: hit.kind)
      text("how", hit.how.word)
      text("matched", hit.matched)
      json.key("typing_errors")
      json.value(hit.errors)
      json.endObject()
    }
    json.endArray()
    return end()
  }

  public mutating func matches(_ answers: [(asked: String, hits: [IndicatorHit])]) -> String {
    begin()
    json.key("answers")
    json.beginArray()
    for answer in answers {
      json.beginObject()
      text("asked", answer.asked)
      json.key("hits")
      json.beginArray()
      for hit in answer.hits {
        json.beginObject()
        text("how", hit.how.rawValue)
        text("botnet", hit.botnet)
        text("botnet_id", hit.botnetID)
        members(of: hit.claim)
        json.endObject()
      }
      json.endArray()
      json.endObject()
    }
    json.endArray()
    return end()
  }

  public mutating func show(_ botnet: Botnet) -> String {
    begin()
    json.key("botnet")
    write(botnet)
    return end()
  }

  public mutating func changes(_ changes: RegistryChanges, complaints: [String]) -> String {
    begin()
    for (name, counts) in [("added", changes.added), ("changed", changes.changed)] {
      json.key(text: name)
      json.beginObject()
      for subject in RegistryChanges.Subject.allCases {
        json.key(text: subject.rawValue)
        json.value(counts[subject] ?? 0)
      }
      json.endObject()
    }
    json.key("changes")
    json.beginArray()
    for line in changes.lines { json.value(line) }
    json.endArray()
    json.key("changes_not_told")
    json.value(changes.linesRefused)
    json.key("skipped")
    json.beginArray()
    for line in complaints { json.value(line) }
    json.endArray()
    return end()
  }

  public mutating func curve(_ curve: ActivityCurve) -> String {
    begin()
    json.key("curve")
    json.beginArray()
    for point in curve.points {
      json.beginObject()
      json.key("expiry_days")
      json.value(point.expiryDays)
      json.key("active")
      json.value(point.total)
      for kind in Botnet.Kind.allCases {
        json.key(text: kind.rawValue)
        json.value(point.active[kind] ?? 0)
      }
      json.key("confirmed")
      json.value(point.confirmed)
      json.key("c2")
      json.value(point.servers)
      json.key("publishers")
      json.value(point.publishers)
      json.key("seen_by_one")
      json.value(point.seenOnce)
      json.key("seen_by_two")
      json.value(point.seenTwice)
      json.key("chao_lower_bound")
      range(point.lowerBound)
      json.endObject()
    }
    json.endArray()
    return end()
  }

  public mutating func suggestions(_ all: [OverlapSuggestion]) -> String {
    begin()
    json.key("suggestions")
    json.beginArray()
    for suggestion in all {
      json.beginObject()
      switch suggestion {
      case .merge(let a, let b, let overlap):
        text("suggest", "merge")
        json.key("botnets")
        json.beginArray()
        json.value(a)
        json.value(b)
        json.endArray()
        json.key("jaccard")
        range(
          overlap.jaccard.flatMap { value in
            overlap.jaccardRange.map { CensusRange(low: $0.lowerBound, value: value, high: $0.upperBound) }
          })
        json.key("containment")
        json.value(overlap.containment)
        json.key("shared_units")
        json.value(overlap.sharedUnits)
        json.key("common_hours")
        json.value(overlap.hours)
      case .split(let botnet, let groups):
        text("suggest", "split")
        text("botnet", botnet)
        json.key("groups")
        json.beginArray()
        for group in groups {
          json.beginArray()
          for server in group { json.value(server) }
          json.endArray()
        }
        json.endArray()
      }
      json.endObject()
    }
    json.endArray()
    return end()
  }

  // MARK: Export, piece by piece

  public mutating func beginExport() -> String {
    begin()
    json.key("botnets")
    json.beginArray()
    return json.drain()
  }

  public mutating func export(_ botnet: Botnet) -> String {
    write(botnet)
    return json.drain()
  }

  /// From here on, claims that no botnet has.
  public mutating func beginUnassigned() -> String {
    json.endArray()
    json.key("unassigned_indicators")
    json.beginArray()
    return json.drain()
  }

  public mutating func export(_ claim: IndicatorClaim) -> String {
    json.beginObject()
    members(of: claim)
    json.endObject()
    return json.drain()
  }

  public mutating func endExport() -> String {
    json.endArray()
    return end()
  }
}

// MARK: Parts

extension RegistryJSON {
  private mutating func text(_ name: StaticString, _ value: String?) {
    json.key(name)
    json.value(value)
  }

  private mutating func fields(id: String, name: String, kind: Botnet.Kind) {
    text("id", id)
    text("name", name)
    text("kind", kind.rawValue)
  }

  private mutating func range(_ range: CensusRange?) {
    guard let range else { return json.null() }
    json.beginObject()
    json.key("low")
    json.value(range.low)
    json.key("value")
    json.value(range.value)
    json.key("high")
    json.value(range.high)
    json.endObject()
  }

  private mutating func origin(_ origin: Origin) {
    text("source", origin.source)
    json.key("date")
    json.value(origin.date)
  }

  private mutating func standing(_ evidence: [BotnetEvidence], _ status: (Int) -> BotnetStatus) {
    json.key("status_by_expiry")
    json.beginObject()
    for days in BotnetStatus.expiries {
      json.key(text: String(days))
      json.value(status(days).rawValue)
    }
    json.endObject()
    json.key("last_life")
    json.value(BotnetStatus.lastLife(evidence, at: time))
  }

  private mutating func write(_ row: BotnetSummary, _ expiryDays: Int) {
    json.beginObject()
    fields(id: row.id, name: row.name, kind: row.kind)
    text("status", row.standing(at: time, expiryDays: expiryDays).rawValue)
    let time = time
    standing(row.evidence) { row.standing(at: time, expiryDays: $0) }
    json.key("sources")
    json.value(row.sources)
    json.key("c2_claims")
    json.value(row.serverClaims)
    json.key("size")
    if let size = row.size { write(size) } else { json.null() }
    json.endObject()
  }

  private mutating func write(_ size: SizeObservation) {
    let figure = size.figure
    json.beginObject()
    text("quantity", figure.kind.rawValue)
    json.key("first_hour")
    json.value(Timestamp(seconds: Int64(figure.hours.lowerBound) * 3600))
    json.key("last_hour")
    json.value(Timestamp(seconds: Int64(figure.hours.upperBound) * 3600))
    json.key("machines")
    range(figure.machines)
    json.key("at_most")
    json.value(figure.atMost)
    json.key("addresses")
    json.value(figure.addresses)
    text("grade", figure.grade.rawValue)
    json.key("sensors")
    json.beginArray()
    for sensor in size.sensors { json.value(sensor) }
    json.endArray()
    origin(size.origin)
    json.endObject()
  }

  private mutating func members(of claim: IndicatorClaim) {
    text("indicator", claim.indicator.value)
    text("indicator_kind", claim.indicator.kind.rawValue)
    text("role", claim.role.rawValue)
    text("malware", claim.malware)
    json.key("first_seen")
    json.value(claim.firstSeen)
    json.key("last_seen")
    json.value(claim.lastSeen)
    json.key("online")
    if let isOnline = claim.isOnline { json.value(isOnline) } else { json.null() }
    json.key("confidence")
    json.value(claim.confidence)
    text("reference", claim.reference)
    json.key("extra")
    json.beginObject()
    for (name, value) in claim.extra.sorted(by: { $0.key < $1.key }) {
      json.key(text: name)
      json.value(value)
    }
    json.endObject()
    origin(claim.origin)
  }

  private mutating func list<Value>(_ name: StaticString, _ values: [Value], _ body: (inout Self, Value) -> Void) {
    json.key(name)
    json.beginArray()
    for value in values {
      json.beginObject()
      body(&self, value)
      json.endObject()
    }
    json.endArray()
  }

  private mutating func sourced(_ name: StaticString, _ values: [Sourced<String>]) {
    list(name, values) { out, value in
      out.text("value", value.value)
      out.origin(value.origin)
    }
  }

  private mutating func write(_ botnet: Botnet) {
    json.beginObject()
    fields(id: botnet.id, name: botnet.name, kind: botnet.kind.value)
    json.key("kind_origin")
    json.beginObject()
    origin(botnet.kind.origin)
    json.endObject()
    let time = time
    standing(botnet.evidence) { botnet.standing(at: time, expiryDays: $0) }
    list("names", botnet.names) { out, name in
      out.text("name", name.text)
      out.text("owned_by", name.ownedBy)
      out.origin(name.origin)
    }
    list("identifiers", botnet.identifiers) { out, identifier in
      out.text("scheme", identifier.value.scheme)
      out.text("value", identifier.value.value)
      out.origin(identifier.origin)
    }
    list("relations", botnet.relations) { out, relation in
      out.text("kind", relation.value.kind)
      out.text("target", relation.value.target)
      out.text("target_name", relation.value.targetName)
      out.origin(relation.origin)
    }
    sourced("protocols", botnet.protocols)
    sourced("dated", botnet.dated)
    sourced("references", botnet.references)
    sourced("notes", botnet.notes)
    writeEvidence(botnet)
    list("indicators", botnet.indicators) { out, claim in out.members(of: claim) }
    json.key("indicators_left_out")
    json.value(botnet.indicatorsLeftOut)
    json.key("sizes")
    json.beginArray()
    for size in botnet.sizes { write(size) }
    json.endArray()
    json.endObject()
  }

  private mutating func writeEvidence(_ botnet: Botnet) {
    list("evidence", botnet.evidence) { out, item in
      out.text("kind", item.kind.rawValue)
      out.text("source", item.source)
      out.json.key("items")
      out.json.value(item.items)
      out.json.key("first")
      out.json.value(item.first)
      out.json.key("last")
      out.json.value(item.last)
      out.json.key("life")
      out.json.value(item.life)
    }
    list("takedowns", botnet.takedowns) { out, takedown in
      out.text("day", Timestamp.describe(day: takedown.day))
      out.text("by", takedown.by)
      out.text("outcome", takedown.outcome.rawValue)
      out.text("method", takedown.method)
      out.origin(takedown.origin)
    }
  }
}
