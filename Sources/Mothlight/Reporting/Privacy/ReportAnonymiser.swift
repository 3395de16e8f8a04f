/// Takes the addresses of our own network out of a report, whatever the format that it goes to.
///
/// They stand in fields and in sentences; both are replaced, with one another's counterpart. Addresses outside stay: they are what a
/// report is about. Identifiers of findings and Community IDs are made from the new addresses, so none leads back by trying.
public struct ReportAnonymiser: Sendable {
  public enum Method: String, Sendable, CaseIterable {
    /// Addresses become other addresses, prefixes stay prefixes.
    case cryptoPAn = "crypto-pan"
    /// Addresses become names such as `host-7F3K2QXD`.
    case pseudonyms
  }

  public static let keyOctets = CryptoPAn.keyOctets
  /// Names of machines at home, by their last labels (RFC 6762, RFC 8375, and what people use).
  private static let localSuffixes = [
    ".local", ".lan", ".internal", ".intranet", ".corp", ".home", ".home.arpa", ".localdomain",
  ]

  private let method: Method
  private let prefixes: CryptoPAn
  private let names: Pseudonyms
  /// Addresses in it are ours, beside all private ones.
  var home: [Prefix] = []
  /// Machines that are ours wherever they are: those that a row is about.
  var ours: Set<IPAddress> = []
  private var known: [IPAddress: IPAddress] = [:]

  /// - Parameter key: `keyOctets` octets, the same for reports that are to be compared.
  public init(_ method: Method, key: [UInt8]) throws(ConfigurationError) {
    self.method = method
    prefixes = try CryptoPAn(key: key)
    names = Pseudonyms(key: key)
  }

  /// - Parameter settings: a host that is to be explained is found again under its new address.
  public mutating func anonymise(_ report: inout Report, _ settings: inout ExporterSettings) {
    home = report.home
    for i in report.hosts.indices { anonymise(&report.hosts[i]) }
    for i in report.hidden.indices {
      anonymise(&report.hidden[i].finding)
      report.hidden[i].rule = text(report.hidden[i].rule)
    }
    // The order of addresses is itself told by the order of rows.
    report.hosts.sort { ($1.verdict, $0.host, $0.day) < ($0.verdict, $1.host, $1.day) }
    report.hidden.sort { ($0.finding.host, $0.finding.id) < ($1.finding.host, $1.finding.id) }
    for i in report.inputs.indices { anonymise(&report.inputs[i]) }
    report.warnings = report.warnings.map { text($0) }
    // A network's address has no name of its own.
    report.home = method == .cryptoPAn ? report.home.map { prefixes.anonymised($0) } : []
    settings.explain = settings.explain.map { address($0) }
    report.isAnonymised = true
    report.warnings.append(
      method == .cryptoPAn
        ? "addresses of the home network were replaced by others that are nobody's: look none of them up"
        : "addresses of the home network were replaced by names")
  }

  func isInternal(_ address: IPAddress) -> Bool {
    address.isPrivate || address.isLinkLocal || ours.contains(address) || home.contains { $0.contains(address) }
  }

  mutating func address(_ address: IPAddress) -> IPAddress {
    if address.isStandIn { return .unspecified }
    guard isInternal(address) else { return address }
    if let old = known[address] { return old }
    let new = method == .cryptoPAn ? prefixes.anonymised(address) : names.standIn(for: address)
    known[address] = new
    return new
  }

  mutating func anonymise(_ day: inout HostDay) {
    day.host = address(day.host)
    for i in day.findings.indices { anonymise(&day.findings[i]) }
    day.reason = text(day.reason)
    day.caveats = day.caveats.map { text($0) }
    for i in day.story.indices { day.story[i].text = text(day.story[i].text) }
    for i in day.activity.topPeers.indices {
      day.activity.topPeers[i].address = address(day.activity.topPeers[i].address)
      day.activity.topPeers[i].name = day.activity.topPeers[i].name.map { name($0) }
    }
    for i in day.activity.topNames.indices { day.activity.topNames[i].name = name(day.activity.topNames[i].name) }
  }

  mutating func anonymise(_ finding: inout Finding) {
    finding.host = address(finding.host)
    finding.peer = finding.peer.map { address($0) }
    finding.peerName = finding.peerName.map { name($0) }
    finding.subject = text(finding.subject)
    finding.summary = text(finding.summary)
    finding.refutedBy = text(finding.refutedBy)
    for i in finding.suppressions.indices { finding.suppressions[i].because = text(finding.suppressions[i].because) }
    for i in finding.evidence.indices {
      finding.evidence[i].source = address(finding.evidence[i].source)
      finding.evidence[i].destination = address(finding.evidence[i].destination)
      finding.evidence[i].note = text(finding.evidence[i].note)
    }
  }

  private mutating func anonymise(_ input: inout InputSummary) {
    input.path = text(input.path)
    input.warnings = input.warnings.map { text($0) }
    // It is a record as it was read.
    input.firstUnparsed = nil
    if let error = input.error { input.error = SourceError(error.code, text(error.message)) }
  }

  mutating func text(_ text: String) -> String {
    localNames(in: AddressText.replacing(in: text) { address($0) })
  }

  /// Names in sentences that only our network knows, as far as their last labels tell it.
  private func localNames(in text: String) -> String {
    let lower = text.lowercased()
    guard Self.localSuffixes.contains(where: { lower.contains($0) }) else { return text }
    var out = ""
    var word = ""
    func flush() {
      var name = Substring(word)
      while name.last == "." { name = name.dropLast() }
      let isLocal = Self.localSuffixes.contains { name.lowercased().hasSuffix($0) }
      out += isLocal ? names.name(for: String(name)) + word.dropFirst(name.count) : word
      word = ""
    }
    for character in text {
      if character.isLetter || character.isNumber || "-_.".contains(character) {
        word.append(character)
      } else {
        flush()
        out.append(character)
      }
    }
    flush()
    return out
  }

  /// A name of the DNS: one that only our network knows, or that an address was turned into, says which machine it is.
  mutating func name(_ name: String) -> String {
    let lower = name.lowercased()
    if lower.hasSuffix(".ip6.arpa") { return names.name(for: name) + ".ip6.arpa" }
    if lower.hasSuffix(".in-addr.arpa") {
      let labels = lower.dropLast(".in-addr.arpa".count).split(separator: ".").reversed()
      guard let reversed = IPAddress(labels.joined(separator: ".")), !isInternal(reversed) else {
        return names.name(for: name) + ".in-addr.arpa"
      }
      return name
    }
    if !lower.contains(".") || Self.localSuffixes.contains(where: { lower.hasSuffix($0) }) {
      return names.name(for: name)
    }
    return text(name)
  }
}

/// Addresses in sentences.
enum AddressText {
  /// `text` with every address in it replaced by what `new` gives for it.
  /// - Complexity: O(length).
  static func replacing(in text: String, by new: (IPAddress) -> IPAddress) -> String {
    let octets = Array(text.utf8)
    guard octets.contains(where: { $0 == 0x2e || $0 == 0x3a }) else { return text }
    var out: [UInt8] = []
    out.reserveCapacity(octets.count)
    var at = 0
    while at < octets.count {
      guard isPart(octets[at]) else {
        out.append(octets[at])
        at += 1
        continue
      }
      var end = at
      while end < octets.count, isPart(octets[end]) { end += 1 }
      append(octets[at..<end], to: &out, new)
      at = end
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Octets that addresses are written with.
  private static func isPart(_ octet: UInt8) -> Bool {
    hexDigit(octet) != nil || octet == 0x2e || octet == 0x3a
  }

  private static func append(_ word: ArraySlice<UInt8>, to out: inout [UInt8], _ new: (IPAddress) -> IPAddress) {
    // A sentence may end behind it, a port or a full stop may follow.
    var candidates = [word.endIndex]
    if let colon = word.firstIndex(of: 0x3a) { candidates.append(colon) }
    if let colon = word.lastIndex(of: 0x3a) { candidates.append(colon) }
    candidates += candidates.flatMap { end -> [Int] in
      var end = end
      while end > word.startIndex, word[end - 1] == 0x2e || word[end - 1] == 0x3a { end -= 1 }
      return [end]
    }
    for end in candidates where end > word.startIndex {
      guard let address = IPAddress(String(decoding: word[word.startIndex..<end], as: UTF8.self)) else { continue }
      let replaced = new(address)
      if replaced == address {
        out += word
        return
      }
      out += Array(replaced.description.utf8)
      out += word[end...]
      return
    }
    // A word before a colon may end in letters that are digits, too: `source:192.0.2.1`.
    guard let colon = word.firstIndex(of: 0x3a), !word[colon...].allSatisfy({ $0 == 0x3a }) else {
      out += word
      return
    }
    out += word[...colon]
    append(word[(colon + 1)...], to: &out, new)
  }
}
