import Glibc

/// Machines by country on the world as tiles; a country that is hidden looks like one that has none.
package struct CensusTileMap {
  private let machines: [CountryCode: Double]
  private let unit: String
  private let most: Double
  private let top: Set<CountryCode>
  /// Countries with machines that have no tile.
  package let unplaced: [CountryCode]

  init(_ digest: CensusDigest) {
    var found: [CountryCode: Double] = [:]
    for rank in digest.ranks {
      guard case .country(let code) = rank.part.place, let range = digest.figure(rank.part).machines else { continue }
      found[code] = range.value
    }
    self.init(found, unit: "machines")
  }

  /// - Parameter unit: what is counted, in the plural.
  package init(_ found: [CountryCode: Double], unit: String) {
    self.unit = unit
    machines = found
    most = found.values.max() ?? 0
    top = Set(found.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(14).map(\.key))
    let placed = Set(WorldTiles.all.map(\.country))
    unplaced = found.keys.filter { !placed.contains($0) }.sorted()
  }

  /// Half decades below the most: 6 for the fullest.
  private func step(_ value: Double) -> Int {
    guard value > 0, most > 0 else { return 0 }
    return max(1, min(6, 6 - Int(log10(most / value) * 2)))
  }

  package func drawing(words: String) -> Markup {
    ChartFrame.both(
      id: "map-f", title: "Countries as tiles, by \(unit)", words: words, wide: ChartFrame(width: 594, isNarrow: false)
    ) { frame in
      let side = frame.width / Double(WorldTiles.columns)
      var body: Markup = ""
      for tile in WorldTiles.all { body += self.tile(tile, side, frame) }
      return (side * Double(WorldTiles.rows), body)
    }
  }

  private func tile(_ tile: WorldTiles.Tile, _ side: Double, _ frame: ChartFrame) -> Markup {
    let x = Double(tile.column) * side
    let y = Double(tile.row) * side
    let place: Markup =
      "x=\"\(px: x)\" y=\"\(px: y)\" width=\"\(px: side - 1.2)\" height=\"\(px: side - 1.2)\" rx=\"2\""
    let code = tile.country.description
    let middle: Markup = "x=\"\(px: x + side / 2 - 0.6)\" y=\"\(px: y + side / 2 + 2.9)\""
    guard let value = machines[tile.country] else {
      let text: Markup = frame.isNarrow ? "" : "<text class=\"mid t0\" \(middle)>\(code)</text>"
      return "<rect class=\"tile\" \(place)/>\(text)"
    }
    let step = step(value)
    let shows = !frame.isNarrow || top.contains(tile.country)
    let text: Markup =
      shows
      ? "<text class=\"mid t\(step >= 4 ? 2 : 1)\(frame.isNarrow ? " t7" : "" as Markup)\" \(middle)>\(code)</text>"
      : ""
    return """
      <rect class="q\(step)" \(place)><title>\(CountryNames.name(tile.country)): \(CensusWords.machines(value)) \(unit)</title></rect>\(text)
      """
  }

  package var key: Markup {
    var out: Markup = "<p class=\"key\"><span>"
    out +=
      "\(CensusWords.machines(machines.values.min() ?? 0))\(CensusWeekMap.ramp(1...6))\(CensusWords.machines(most)) \(unit), tenfold in two steps</span>"
    out += "<span>plain: none, or not shown</span></p>"
    return out
  }
}

/// The ranking of countries by addresses beside the one by machines: lines that cross are countries that an address count
/// misplaces.
struct CensusRankChart {
  private let digest: CensusDigest
  private let ranks: [CensusDigest.Rank]
  private static let shown = 12

  init(_ digest: CensusDigest) {
    self.digest = digest
    ranks = digest.ranks
  }

  var words: String {
    let list = ranks.prefix(Self.shown).map {
      "\(CensusWords.place($0.part.place)) is number \($0.byMachines) by machines, \($0.byAddresses) by addresses"
    }
    return list.joined(separator: "; ") + "."
  }

  /// The country that an address count misplaces most among the first ones.
  var finding: String? {
    let moved = ranks.filter { min($0.byMachines, $0.byAddresses) <= 10 && $0.byMachines != $0.byAddresses }
    guard let most = moved.max(by: { Self.jump($0) < Self.jump($1) }) else { return nil }
    return
      "\(CensusWords.place(most.part.place)) is number \(most.byAddresses) by addresses and number \(most.byMachines) by machines."
  }

  private static func jump(_ rank: CensusDigest.Rank) -> Double {
    abs(log(Double(rank.byAddresses)) - log(Double(rank.byMachines)))
  }

  func drawing() -> Markup {
    ChartFrame.both(
      id: "rank-f", title: "Countries ranked by addresses and by machines", words: words,
      wide: ChartFrame(width: 346, isNarrow: false)
    ) { frame in
      let step = 27.0
      let count = min(Self.shown, ranks.count)
      let bottom = 26 + Double(count) * step
      let (left, right) = (frame.width * 0.39, frame.width * 0.62)
      var body: Markup = """
        <text class="strong ad end" x="\(px: left - 8)" y="12">by addresses</text>\
        <text class="strong ma" x="\(px: right + 8)" y="12">by machines</text>
        """
      func y(_ rank: Int) -> Double { rank <= count ? 14 + Double(rank) * step - step / 2 : bottom + 2 }
      for rank in ranks where rank.byMachines <= count || rank.byAddresses <= count {
        body += link(rank, left, right, y(rank.byAddresses), y(rank.byMachines))
        let machines = digest.figure(rank.part).machines?.value ?? 0
        let name = Self.short(CensusWords.place(rank.part.place))
        if rank.byAddresses <= count {
          body += Self.label(name, digest.addresses(rank.part), left - 8, y(rank.byAddresses), "end")
        }
        if rank.byMachines <= count {
          body += Self.label(name, machines, right + 8, y(rank.byMachines), "")
        }
      }
      if ranks.contains(where: { ($0.byMachines <= count) != ($0.byAddresses <= count) }) {
        body += "<text class=\"end soft tiny\" x=\"\(px: left - 8)\" y=\"\(px: bottom + 5)\">lower</text>"
        body += "<text class=\"soft tiny\" x=\"\(px: right + 8)\" y=\"\(px: bottom + 5)\">lower</text>"
      }
      return (bottom + 10, body)
    }
  }

  private func link(_ rank: CensusDigest.Rank, _ left: Double, _ right: Double, _ from: Double, _ to: Double) -> Markup
  {
    let style: Markup = rank.byMachines < rank.byAddresses ? "ma" : rank.byMachines > rank.byAddresses ? "ad" : "so"
    let bend = (right - left) * 0.45
    var out: Markup = """
      <path class="w-\(style)" d="M\(px: left) \(px: from)C\(px: left + bend) \(px: from) \(px: right - bend) \(px: to) \(px: right) \(px: to)"/>
      """
    if rank.byAddresses <= Self.shown {
      out += "<circle class=\"p-\(style)\" cx=\"\(px: left)\" cy=\"\(px: from)\" r=\"3\"/>"
    }
    if rank.byMachines <= Self.shown {
      out += "<circle class=\"p-\(style)\" cx=\"\(px: right)\" cy=\"\(px: to)\" r=\"3\"/>"
    }
    return out
  }

  private static func label(_ name: String, _ count: Double, _ x: Double, _ y: Double, _ side: Markup) -> Markup {
    """
    <text class="\(side)" x="\(px: x)" y="\(px: y + 1)">\(name)</text>\
    <text class="\(side) soft tiny" x="\(px: x)" y="\(px: y + 11)">\(CensusWords.short(round(count)))</text>
    """
  }

  private static func short(_ name: String) -> String { VisibleText.clipped(name, to: 20) }
}

private func round(_ count: Double) -> Double {
  guard count.isFinite, count > 0 else { return 0 }
  let unit = pow(10, max(0, log10(count).rounded(.down) - 2))
  return (count / unit).rounded() * unit
}

extension CensusHTMLExporter {
  func places(_ edition: CensusEdition, _ digest: CensusDigest) -> Markup {
    guard !digest.ranks.isEmpty else { return "" }
    let map = CensusTileMap(digest)
    let ranks = CensusRankChart(digest)
    let what = digest.ranksByFootprint ? "different machines of the window" : "mean live machines"
    var say: Markup = "By \(what). "
    if let finding = ranks.finding {
      say += "\(finding) Countries whose addresses change often look too large in an address count."
    }
    if !map.unplaced.isEmpty {
      say += " Without a tile: \(map.unplaced.map { CountryNames.name($0) }.joined(separator: ", "))."
    }
    if edition.hidden.countries > 0 {
      say += " \(ReportWords.count(edition.hidden.countries, "country is", "countries are")) not shown."
    }
    return Self.section(
      "places", "Where they are", say: say, key: map.key,
      drawing: "<div class=\"pair\"><div>\(map.drawing(words: ranks.words))</div><div>\(ranks.drawing())</div></div>",
      provenance: digest.provenance(digest.ranks.first.map { digest.figure($0.part).grade }), after: table(digest))
  }

  private func table(_ digest: CensusDigest) -> Markup {
    let ranks = digest.ranks
    var out: Markup = """
      <details><summary>All \(ReportWords.grouped(ranks.count)) countries as a table</summary><div class="scroll" role="region" \
      aria-label="Countries" tabindex="0"><table class="cc"><thead><tr><th scope="col">Country</th><th scope="col">Machines</th>\
      <th scope="col">95 %</th><th scope="col">Addresses</th><th scope="col">×</th><th scope="col">Rank</th>\
      <th scope="col">by addresses</th></tr></thead><tbody>

      """
    for rank in ranks.prefix(Self.rowsShown) {
      let figure = digest.figure(rank.part)
      out += """
        <tr><th scope="row">\(CensusWords.place(rank.part.place))</th><td>\(figure.machines.map { CensusWords.machines($0.value) } ?? "–")</td>\
        <td>\(figure.machines.map(CensusWords.interval) ?? "–")</td><td>\(CensusWords.machines(figure.addresses))</td>\
        <td>\(CensusWords.factor(figure.inflation))</td><td>\(rank.byMachines)</td><td>\(rank.byAddresses)</td></tr>

        """
    }
    out += "</tbody></table></div></details>"
    return out
  }
}
