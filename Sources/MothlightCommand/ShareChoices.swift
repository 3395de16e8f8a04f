import ArgumentParser
import Foundation
import Mothlight

/// How far a report may go, and what of it: markings, pseudonyms, recipients.
struct ShareChoices: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Marking of the output (TLP 2.0): clear, green, amber, amber+strict, red. Default: what its contents ask for.",
      valueName: "marking"))
  var tlp: String?

  @Option(help: "Replace addresses of the home network: crypto-pan (prefixes stay) or pseudonyms. Needs --key-file.")
  var anonymise: String?

  @Option(help: "File with the key for --anonymise, 64 hexadecimal digits; made when it is not there.")
  var keyFile: String?

  @Option(
    help: ArgumentHelp(
      "Formats for exchange: who reports, such as 'CERT Example <abuse@cert.example>'.", valueName: "reporter"))
  var reporter: String?

  @Option(
    help: ArgumentHelp(
      "Formats for exchange: only sources in this network, such as 192.0.2.0/24 or AS64500; may be repeated.",
      valueName: "network"))
  var recipient: [String] = []

  @Option(
    help: ArgumentHelp(
      "Formats for exchange: the least level of evidence: shaped, recognised or repeated. Default: recognised.",
      valueName: "level"))
  var leastLevel: String?

  static func marking(_ text: String?) throws -> TLP? {
    guard let text else { return nil }
    guard let tlp = TLP(text) else {
      let all = TLP.allCases.map { $0.rawValue.lowercased() }.joined(separator: ", ")
      throw ValidationError("--tlp takes \(all), not '\(text)'")
    }
    return tlp
  }

  func apply(to settings: inout ExporterSettings) throws {
    settings.tlp = try Self.marking(tlp)
    settings.note = { Terminal.complain($0) }
    if let reporter {
      guard let known = ExchangeSettings.Reporter(reporter) else {
        throw ValidationError("--reporter: '\(reporter)' is not of the form 'CERT Example <abuse@cert.example>'")
      }
      settings.exchange.reporter = known
    }
    let levelName = leastLevel ?? EvidenceLevel.recognised.name
    guard let level = EvidenceLevel.allCases.first(where: { $0.name == levelName }), level >= .shaped else {
      throw ValidationError("--least-level takes shaped, recognised or repeated, not '\(levelName)'")
    }
    settings.exchange.choice.leastLevel = level
    for text in recipient {
      let digits = text.uppercased().hasPrefix("AS") ? text.dropFirst(2) : ""
      if let prefix = Prefix(text) {
        settings.exchange.choice.recipient.prefixes.append(prefix)
      } else if let number = UInt32(digits) {
        settings.exchange.choice.recipient.systems.insert(number)
      } else {
        throw ValidationError(
          "--recipient: '\(text)' is neither a prefix such as 192.0.2.0/24 nor a system such as AS64500")
      }
    }
  }

  /// - Throws: `Failure` when something was chosen that the format does not heed: a report on everybody would pass for a
  ///   recipient's own.
  func check(_ card: ExporterCard) throws {
    let given = [
      ("--recipient", !recipient.isEmpty), ("--reporter", reporter != nil), ("--least-level", leastLevel != nil),
    ]
    let names = given.filter { $0.1 }.map { $0.0 }.joined(separator: ", ")
    guard !card.tellsNetworks, !names.isEmpty else { return }
    let formats = ExporterRoster.cards.filter(\.tellsNetworks).map(\.name).joined(separator: ", ")
    throw Failure("\(names): nothing in --format \(card.name) heeds it; use one of \(formats), or leave it out")
  }

  /// `nil` when nothing is to be replaced.
  func anonymiser() throws -> ReportAnonymiser? {
    guard let anonymise else {
      guard keyFile == nil else { throw ValidationError("--key-file goes with --anonymise") }
      return nil
    }
    guard let method = ReportAnonymiser.Method(rawValue: anonymise) else {
      throw ValidationError("--anonymise takes crypto-pan or pseudonyms, not '\(anonymise)'")
    }
    guard let keyFile else {
      throw ValidationError("--anonymise needs --key-file FILE; it is made when it is not there")
    }
    let (key, isNew) = try configured { () throws(ConfigurationError) in
      try SecretFile.open(keyFile, octets: ReportAnonymiser.keyOctets)
    }
    if isNew { Terminal.complain("\(keyFile): a new key was made; keep it as long as reports are to be compared") }
    return try configured { () throws(ConfigurationError) in try ReportAnonymiser(method, key: key) }
  }
}
