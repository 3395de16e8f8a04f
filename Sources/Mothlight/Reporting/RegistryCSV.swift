/// The registry as one table (RFC 4180): a row for each claim, each with its source and date.
public struct RegistryCSV: Sendable {
  public static let header = "botnet_id,botnet,kind,field,value,detail,first,last,confidence,source,date,tlp\r\n"

  private let tlp: TLP

  public init(tlp: TLP = RegistryMarking.contents) { self.tlp = tlp }

  public func rows(_ botnet: Botnet) -> String {
    let head = [botnet.id, botnet.name, botnet.kind.value.rawValue]
    var out = line(head, "kind", botnet.kind.value.rawValue, "", botnet.kind.origin)
    for name in botnet.names {
      out += line(head, "name", name.text, name.ownedBy.map { "owned by \($0)" } ?? "", name.origin)
    }
    for identifier in botnet.identifiers {
      out += line(head, "identifier", identifier.value.value, identifier.value.scheme, identifier.origin)
    }
    for relation in botnet.relations {
      out += line(head, "relation", relation.value.target, relation.value.kind, relation.origin)
    }
    for (field, values) in [
      ("protocol", botnet.protocols), ("dated", botnet.dated), ("reference", botnet.references), ("note", botnet.notes),
    ] {
      for value in values { out += line(head, field, value.value, "", value.origin) }
    }
    for takedown in botnet.takedowns {
      let detail = [takedown.outcome.rawValue, takedown.by, takedown.method].joined(separator: "; ")
      out += line(head, "takedown", Timestamp.describe(day: takedown.day), detail, takedown.origin)
    }
    for size in botnet.sizes {
      let figure = size.figure
      let range = figure.machines.map { "\($0.low) \($0.value) \($0.high)" } ?? ""
      let detail = "addresses \(figure.addresses); grade \(figure.grade.rawValue)"
      out += line(
        head, figure.kind.rawValue, range, detail, size.origin,
        first: Timestamp(seconds: Int64(figure.hours.lowerBound) * 3600),
        last: Timestamp(seconds: Int64(figure.hours.upperBound) * 3600))
    }
    for claim in botnet.indicators { out += row(claim, head) }
    return out
  }

  public func row(_ claim: IndicatorClaim, _ head: [String] = ["", "", ""]) -> String {
    let detail = [claim.indicator.kind.rawValue, claim.reference ?? ""].filter { !$0.isEmpty }.joined(separator: "; ")
    return line(
      head, claim.role.rawValue, claim.indicator.value, detail, claim.origin, first: claim.firstSeen,
      last: claim.lastSeen,
      confidence: claim.confidence)
  }

  private func line(
    _ head: [String], _ field: String, _ value: String, _ detail: String, _ origin: Origin, first: Timestamp? = nil,
    last: Timestamp? = nil, confidence: Int? = nil
  ) -> String {
    let cells =
      head + [
        field, value, detail, first?.description ?? "", last?.description ?? "", confidence.map(String.init) ?? "",
        origin.source, origin.date.description, tlp.rawValue,
      ]
    return cells.map(Self.cell).joined(separator: ",") + "\r\n"
  }

  /// In quotes when it must be; a text that a spreadsheet would run as a formula gets an apostrophe before it.
  static func cell(_ text: String) -> String {
    let text = defused(text)
    guard text.contains(where: { $0 == "," || $0 == "\"" }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }

  /// Nothing hidden, and nothing that a spreadsheet would run.
  static func defused(_ text: String) -> String {
    let text = VisibleText.escaped(text)
    guard let first = text.unicodeScalars.first, "=+-@".unicodeScalars.contains(first) else { return text }
    return "'" + text
  }
}
