/// How far something may be passed on: Traffic Light Protocol 2.0 (FIRST, 2022).
///
/// What is derived from several things may go as far as the most guarded of them: the maximum.
public enum TLP: String, Sendable, Hashable, CaseIterable, Comparable {
  /// To anybody.
  case clear = "CLEAR"
  /// Within the community.
  case green = "GREEN"
  /// To the recipient's organisation and its clients, on a need-to-know basis.
  case amber = "AMBER"
  /// To the recipient's organisation only.
  case amberStrict = "AMBER+STRICT"
  /// To the named recipients only.
  case red = "RED"

  /// Reads `AMBER`, `TLP:AMBER`, `tlp:amber+strict`; `nil` for anything else, words of version 1 included.
  public init?(_ text: some StringProtocol) {
    let upper = text.uppercased()
    let word = upper.hasPrefix("TLP:") ? String(upper.dropFirst(4)) : upper
    guard let known = TLP(rawValue: word) else { return nil }
    self = known
  }

  /// As it is written on a document.
  public var marking: String { "TLP:\(rawValue)" }

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? Self.allCases.count }

  public static func < (a: TLP, b: TLP) -> Bool { a.rank < b.rank }

  /// Of what is made from `parts`; what is made from nothing is for anybody.
  public static func derived(from parts: some Sequence<TLP>) -> TLP { parts.reduce(.clear) { Swift.max($0, $1) } }

  /// The colour of the word on black, as the standard has it.
  var colour: String {
    switch self {
    case .clear: "#ffffff"
    case .green: "#33ff00"
    case .amber, .amberStrict: "#ffc000"
    case .red: "#ff2b2b"
    }
  }
}

extension TLP {
  /// The marking of an export whose most guarded part is `contents`.
  /// - Throws: `ConfigurationError` when the export was to be marked lower than its contents.
  public static func marking(_ asked: TLP?, of contents: TLP) throws(ConfigurationError) -> TLP {
    guard let asked else { return contents }
    guard asked >= contents else {
      throw ConfigurationError(
        "\(asked.marking) was asked for, but there is something marked \(contents.marking) in it; mark it so, or leave that out"
      )
    }
    return asked
  }
}

extension ExporterSettings {
  /// - Throws: `ConfigurationError` when the export was to be marked lower than its contents.
  func marking(of contents: TLP) throws(ConfigurationError) -> TLP { try TLP.marking(tlp, of: contents) }
}

extension Report {
  /// What its most guarded part is marked with. Machines and networks that may be infected are AMBER; addresses of our own network
  /// that were replaced are GREEN, as a pseudonym can still be led back by who has the key.
  var tlp: TLP {
    var parts: [TLP] = []
    if !hosts.isEmpty || !hidden.isEmpty || !home.isEmpty { parts.append(isAnonymised ? .green : .amber) }
    if sinkhole != nil { parts.append(.amber) }
    return TLP.derived(from: parts)
  }
}

extension CensusEdition {
  /// The public edition is for everybody; the other one holds small networks.
  var tlp: TLP { audience == .everybody ? .clear : .amber }
}
