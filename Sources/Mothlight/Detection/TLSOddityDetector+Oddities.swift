import Glibc

extension TLSOddityDetector {
  /// One oddity. Those of one kind have one cause and are not independent.
  struct Oddity {
    enum Kind: Hashable { case name, certificate, hello, port, server }
    var kind: Kind
    /// ln of a likelihood ratio; judgements, not measurements.
    var weight: Double
    var words: String
    /// Rare in the whole network, not on the machine alone.
    var isRareHere = false
  }

  static func nameOddities(_ service: Service, _ key: Key, _ context: ShardContext) -> [Oddity] {
    if service.withAddressAsName * 2 > service.handshakes {
      return [Oddity(kind: .name, weight: 1, words: "an address as server name")]
    }
    guard service.withoutName * 10 >= service.handshakes * 9 else { return [] }
    let host = context.hosts.indices.contains(Int(key.host)) ? context.hosts[Int(key.host)] : nil
    let isUnresolved =
      host?.hasVisibleLookups == true && context.name(of: service.address, knownTo: key.host) == nil
    return [
      Oddity(
        kind: .name, weight: isUnresolved ? 1.1 : 0.7,
        words: isUnresolved ? "no server name, and the address was never looked up" : "no server name")
    ]
  }

  /// Words that tools put into a certificate when nobody fills the form in.
  private static let formFillers = [
    "Internet Widgits", "Some-State", "Default City", "Default Company", "CN=localhost", "CN=example.com",
  ]
  private static let shortDays = 3.0
  private static let longDays = 3285.0

  static func certificateOddities(_ service: Service) -> [Oddity] {
    guard let certificate = service.certificate, !isTorLike(certificate) else { return [] }
    var oddities: [Oddity] = []
    if certificate.isSelfIssued {
      oddities.append(Oddity(kind: .certificate, weight: 1, words: "a certificate that names itself as issuer"))
    }
    if formFillers.contains(where: { certificate.subject.contains($0) || certificate.issuer.contains($0) }) {
      oddities.append(Oddity(kind: .certificate, weight: 0.5, words: "a subject that nobody filled in"))
    } else if let name = commonName(certificate.subject), looksRandom(name) {
      oddities.append(Oddity(kind: .certificate, weight: 0.5, words: "a random-looking common name"))
    }
    // A short or long life says something about certificates of one's own making only.
    if certificate.isSelfIssued, let from = certificate.notBefore, let until = certificate.notAfter {
      let days = until.seconds(since: from) / 86_400
      if days <= shortDays || days >= longDays {
        oddities.append(
          Oddity(kind: .certificate, weight: 0.3, words: "valid for \(Int(max(-1, min(1e6, days)))) days"))
      }
    }
    return oddities
  }

  /// Tor relays show `CN=www.<letters>.net`, issued by another name of the same form (tor-spec, section on TLS).
  static func isTorLike(_ certificate: TLSHandshake.Certificate) -> Bool {
    guard certificate.subject != certificate.issuer, let subject = commonName(certificate.subject),
      let issuer = commonName(certificate.issuer)
    else { return false }
    return [subject, issuer].allSatisfy { name in
      let labels = name.split(separator: ".")
      return labels.count == 3 && labels[0] == "www" && (labels[2] == "com" || labels[2] == "net")
        && (8...20).contains(labels[1].utf8.count)
    }
  }

  static func commonName(_ subject: String) -> String? {
    for part in subject.split(separator: ",") {
      let part = part.drop { $0 == " " }
      if part.hasPrefix("CN=") { return String(part.dropFirst(3)) }
    }
    return nil
  }

  private static func looksRandom(_ name: String) -> Bool {
    if let domain = PublicSuffix.builtin.registeredDomain(name) {
      return NameLikelihood.score(registeredDomain: domain) >= 3
    }
    return !name.utf8.contains(0x20) && NameLikelihood.score(label: name) >= 3
  }

  /// A hello that the machine uses toward this server only. How many machines of the network use it decides what that is
  /// worth: a program that many have says nothing, one that nobody else has, toward a server that nobody else knows, much.
  func helloOddities(_ print: String, _ service: Service, _ key: Key, _ network: HelloCensus) -> [Oddity] {
    guard network.hosts >= hostsLeast else {
      return [Oddity(kind: .hello, weight: 0.8, words: "a TLS hello used toward no other server (\(print))")]
    }
    let most = max(1, UInt32(clamping: Int(Double(network.hosts) * min(1, max(0, rareUsersMost)))))
    let users = network.users(ofHello: print)
    // The table may have been full; then nothing is known.
    guard users > 0, users <= most else { return [] }
    let serverUsers = network.users(ofServer: key.name, service.address)
    guard serverUsers <= most else { return [] }
    let who = users == 1 ? "no other of \(network.hosts) machines says" : "\(users) of \(network.hosts) machines say"
    return [
      Oddity(
        kind: .hello, weight: 1.6, words: "a TLS hello that \(who), used toward no other server (\(print))",
        isRareHere: true),
      Oddity(kind: .server, weight: 0.4, words: "a server that no more machines here use"),
    ]
  }

  func finding(_ service: Service, _ key: Key, _ oddities: [Oddity], _ context: ShardContext) -> Finding? {
    let isRareHere = oddities.contains(where: \.isRareHere)
    // That nobody else uses the server only says more about a hello that nobody else says.
    let kinds = Set(oddities.map(\.kind)).subtracting([.server])
    guard kinds.count >= kindsLeast || isRareHere else { return nil }
    var odds = oddities.reduce(0) { $0 + $1.weight }
    if service.handshakes >= 10 { odds += 0.3 }
    if kinds.count < kindsLeast {
      odds = min(odds, pairMost)
    } else if kinds.count < 4, !isRareHere {
      odds = min(odds, incompleteMost)
    }
    // Peer-to-peer programs and VPN clients look at many such services once.
    if service.handshakes < 3 { odds = min(odds, 1.5) }
    let hidden = service.certificate == nil
    return Finding(
      card: Self.card, host: context.address(of: key.host), subject: key.text,
      summary:
        "spoke TLS with \(key.text) \(service.handshakes) times: \(oddities.map(\.words).joined(separator: "; "))"
        + (hidden ? "; its certificate was not seen" : ""),
      first: service.first, last: service.last, logOdds: min(4.5, odds),
      measures: [
        Measure("kinds_of_oddities", Double(kinds.count), "kinds", atLeast: Double(kindsLeast)),
        Measure("handshakes", Double(service.handshakes), "handshakes"),
        Measure("without_server_name", Double(service.withoutName), "handshakes"),
        Measure("different_hellos", Double(service.hellos.count), "hellos"),
        Measure("hosts_with_hellos", Double(context.hellos.hosts), "hosts"),
      ],
      evidence: service.samples,
      refutedBy: "an appliance, VPN, Tor or remote administration on this machine that uses \(key.text)",
      peer: service.address, peerName: context.name(of: service.address, knownTo: key.host))
  }
}
