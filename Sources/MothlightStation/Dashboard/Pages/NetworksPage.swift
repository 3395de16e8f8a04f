import Mothlight

/// What findings' peers and a census say of one network or country.
struct NetworkShare: Sendable {
  var key: NetworkKey
  var name: String
  /// Findings whose peer lies there, and the machines of ours that they are about.
  var findings = 0
  var hosts: Set<IPAddress> = []
  var botnets: Set<String> = []
  /// Infected machines there, from the census of the sinkhole.
  var live: CensusFigure?
  var footprint: CensusFigure?
}

/// A network by the number of its autonomous system, or a country by its code.
enum NetworkKey: Hashable, Sendable {
  case system(UInt32)
  case country(CountryCode)

  /// `AS64500` or `DE`.
  init?(_ text: String) {
    if text.lowercased().hasPrefix("as"), text.utf8.count > 2, let number = UInt32(text.dropFirst(2)), number > 0 {
      self = .system(number)
    } else {
      let code = CountryCode(text)
      guard text.utf8.count == 2, code != .unknown else { return nil }
      self = .country(code)
    }
  }

  var text: String {
    switch self {
    case .system(let number): "AS\(number)"
    case .country(let code): code.description
    }
  }
}

/// Networks and countries together: where the peers of findings are, and where a sinkhole's machines are.
struct NetworkTable: Sendable {
  /// Findings read for it; beyond, the newest count.
  static let findingsRead = 1000
  private(set) var shares: [NetworkKey: NetworkShare] = [:]
  private(set) var unknown = 0
  let read: Int

  init(_ findings: [StoredFinding], _ networks: (any NetworkDirectory)?, _ census: CensusEdition?) {
    read = findings.count
    let peers = Array(Set(findings.compactMap(\.finding.peer)))
    let known = Dictionary(uniqueKeysWithValues: zip(peers, networks?.records(of: peers) ?? peers.map { _ in nil }))
    for item in findings {
      guard let peer = item.finding.peer else { continue }
      guard let record = known[peer] ?? nil else {
        unknown += 1
        continue
      }
      if let number = record.system, number > 0 { add(.system(number), record.systemName ?? "", item.finding) }
      if let code = record.country.map({ CountryCode($0) }), code != .unknown {
        add(.country(code), CountryNames.name(code), item.finding)
      }
    }
    if let report = census?.report, census?.hidden.isAll == false {
      for part in report.countries + report.systems { add(part) }
    }
  }

  private mutating func add(_ key: NetworkKey, _ name: String, _ finding: Finding) {
    var share = shares[key] ?? NetworkShare(key: key, name: name)
    share.findings += 1
    share.hosts.insert(finding.host)
    if let botnet = finding.botnet { share.botnets.insert(botnet) }
    shares[key] = share
  }

  private mutating func add(_ part: CensusPart) {
    let key: NetworkKey
    switch part.place {
    case .country(let code):
      guard code != .unknown else { return }
      key = .country(code)
    case .system(let number):
      guard number > 0 else { return }
      key = .system(number)
    }
    var share = shares[key] ?? NetworkShare(key: key, name: Self.name(key))
    share.live = part.live
    share.footprint = part.footprint
    shares[key] = share
  }

  private static func name(_ key: NetworkKey) -> String {
    if case .country(let code) = key { CountryNames.name(code) } else { "" }
  }

  /// Most findings first, then most machines of the census.
  func ranked(_ isWanted: (NetworkKey) -> Bool) -> [NetworkShare] {
    shares.values.filter { isWanted($0.key) }.sorted { a, b in
      if a.findings != b.findings { return a.findings > b.findings }
      let (x, y) = (a.footprint?.machines?.value ?? 0, b.footprint?.machines?.value ?? 0)
      return x != y ? x > y : a.key.text < b.key.text
    }
  }
}

/// Networks and countries: on the other end of findings, and of the sinkhole's machines.
struct NetworksPage {
  let frame: Frame
  let table: NetworkTable
  let origin: String?
  let hasCensus: Bool
  private static let rowsShown = 60

  var page: String { frame.page("Networks", .networks, main) }

  private var main: Markup {
    var out: Markup = """
      <h1>Networks</h1>
      <p class="lead">Where the other ends of findings are\(hasCensus ? ", and where the machines of the sinkhole's census are" : "" as Markup).</p>

      """
    if let origin {
      out +=
        "<p class=\"sub\">Of the newest \(ReportWords.count(table.read, "finding", "findings")) of 30 days; networks by \(Parts.text(origin, columns: 200)).\(table.unknown > 0 ? " \(table.unknown) lie in networks that it does not know." : "")</p>\n"
    } else {
      out +=
        "<p class=\"warn\">No file of networks is loaded, so the peers of findings cannot be placed. Name one in the configuration (Debian: <code>libloc</code>'s location database, or a MaxMind file).</p>\n"
    }
    let countries = table.ranked { if case .country = $0 { true } else { false } }
    let systems = table.ranked { if case .system = $0 { true } else { false } }
    guard !(countries.isEmpty && systems.isEmpty) else {
      return out
        + Parts.empty(
          "No network is to be told of.", "It fills with findings that have a peer outside, or with a census.")
    }
    out += map(countries)
    out += rows("Countries", "countries", countries) + rows("Networks", "systems", systems)
    return out
  }

  private func map(_ countries: [NetworkShare]) -> Markup {
    var counts: [CountryCode: Double] = [:]
    for share in countries {
      if case .country(let code) = share.key, share.findings > 0 { counts[code] = Double(share.findings) }
    }
    guard !counts.isEmpty else { return "" }
    let map = CensusTileMap(counts, unit: "findings")
    let words = countries.prefix(12).map { "\($0.name): \($0.findings)" }.joined(separator: ", ")
    return """
      <section aria-labelledby="map"><h2 id="map">Other ends of findings by country</h2><figure class="map">\(map.key)\(map.drawing(words: words))</figure></section>

      """
  }

  private func rows(_ title: Markup, _ id: Markup, _ shares: [NetworkShare]) -> Markup {
    guard !shares.isEmpty else { return "" }
    var out: Markup = """
      <section aria-labelledby="\(id)"><h2 id="\(id)">\(title)</h2><div class="scroll" role="region" aria-label="\(title)" tabindex="0"><table class="stack">
      <thead><tr><th scope="col">Network</th><th scope="col" class="n">Findings</th><th scope="col" class="n">Our machines</th>\
      <th scope="col">Botnets</th>\(hasCensus ? "<th scope=\"col\">Infected machines there, footprint (95 %)</th>" : "" as Markup)</tr></thead><tbody>

      """
    for share in shares.prefix(Self.rowsShown) {
      let census: Markup =
        hasCensus ? "<td>\(share.footprint.map { BotnetPage.size($0) } ?? "–")</td>" : ""
      out += """
        <tr><th scope="row"><a href="/networks/\(share.key.text)">\(share.key.text)</a> \(Parts.text(share.name, columns: 60))</th>\
        <td class="n" data-label="findings">\(ReportWords.grouped(share.findings))</td>\
        <td class="n" data-label="our machines">\(ReportWords.grouped(share.hosts.count))</td>\
        <td>\(Parts.botnets(share.botnets.sorted()))</td>\(census)</tr>

        """
    }
    out += "</tbody></table></div>"
    if shares.count > Self.rowsShown {
      out += "<p class=\"note\">\(shares.count - Self.rowsShown) more are not listed.</p>"
    }
    out += "</section>\n"
    return out
  }
}

/// One network or country.
struct NetworkPage {
  let frame: Frame
  let share: NetworkShare
  let findings: [StoredFinding]

  private var title: String { share.name.isEmpty ? share.key.text : "\(share.key.text) \(share.name)" }

  var page: String { frame.page(VisibleText.clipped(title, to: 60), .networks, main) }

  private var main: Markup {
    var out: Markup = """
      <h1>\(Parts.text(title, columns: 100))</h1>
      <p class="lead">\(ReportWords.count(share.hosts.count, "machine", "machines")) of ours and \
      \(ReportWords.count(share.findings, "finding", "findings")) have their other end here.</p>

      """
    if share.live != nil || share.footprint != nil {
      out += """
        <section aria-labelledby="census"><h2 id="census">Infected machines here, by census</h2><table class="stack"><thead><tr><th scope="col">Quantity</th>\
        <th scope="col">Machines (95 %)</th><th scope="col">Addresses</th><th scope="col">Grade</th></tr></thead><tbody>

        """
      for figure in [share.live, share.footprint].compactMap({ $0 }) {
        out += """
          <tr><th scope="row">\(CensusWords.label(figure.kind))</th><td>\(BotnetPage.size(figure))</td>\
          <td>\(CensusWords.machines(figure.addresses))</td><td>\(CensusWords.grade(figure.grade))</td></tr>

          """
      }
      out += "</tbody></table></section>\n"
    }
    if !findings.isEmpty {
      out +=
        "<section aria-labelledby=\"found\"><h2 id=\"found\">Findings</h2>\(FindingsPage.table(Array(findings.prefix(100)), caption: "Newest first, at most 100."))</section>\n"
    }
    return out
  }
}
