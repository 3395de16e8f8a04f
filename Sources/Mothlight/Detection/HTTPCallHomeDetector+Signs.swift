import Glibc

extension HTTPCallHomeDetector {
  /// One thing that everyday use rarely shows. Signs of one kind have one cause and are not independent.
  struct Sign {
    enum Kind: Hashable { case server, agent, bodies, answers, purpose, name }
    var kind: Kind
    /// ln of a likelihood ratio; judgements, not measurements.
    var weight: Double
    var words: String
  }

  /// A size that hardly changes.
  private static let constantDispersion = 0.1
  private static let tinyAnswerOctets: Float = 512

  func signs(_ shape: Shape, _ server: Server, _ key: Key, others: Int, _ context: ShardContext) -> [Sign] {
    guard shape.requests >= requestsLeast, shape.last.seconds(since: shape.first) >= secondsLeast else { return [] }
    var signs = serverSigns(server, key, context) + bodySigns(shape)
    let servers = serversSharingAgent(shape.agent, host: key.host)
    if shape.withoutAgent * 10 >= shape.requests * 9 {
      signs.append(Sign(kind: .agent, weight: 0.8, words: "no user agent"))
    } else if servers == 1, others >= 4, HTTPShape.agent(shape.agent) != .library {
      let claims = HTTPShape.agent(shape.agent) == .browser
      signs.append(
        Sign(
          kind: .agent, weight: claims ? 0.7 : 0.5,
          words: claims ? "a browser's agent that this machine uses nowhere else" : "an agent used nowhere else"))
    }
    if server.shapes.count <= 2, shape.withReferer == 0 {
      signs.append(Sign(kind: .purpose, weight: 0.5, words: "nothing else from that server, no referrer"))
    }
    return signs
  }

  private func serverSigns(_ server: Server, _ key: Key, _ context: ShardContext) -> [Sign] {
    var signs: [Sign] = []
    let isOddPort = !server.isProxied && !UsualPorts.contains(server.port, .http)
    let host = context.hosts.indices.contains(Int(key.host)) ? context.hosts[Int(key.host)] : nil
    if IPAddress(key.name) != nil, server.isNamedByClient || host?.hasVisibleLookups == true,
      context.name(of: server.address, knownTo: key.host) == nil
    {
      signs.append(Sign(kind: .server, weight: 1, words: "a bare address as host"))
    } else if DynamicDNS.owns(key.name) {
      signs.append(Sign(kind: .name, weight: 1, words: "a dynamic DNS name"))
    } else if let domain = PublicSuffix.builtin.registeredDomain(key.name),
      NameLikelihood.score(registeredDomain: domain) >= 3
    {
      signs.append(Sign(kind: .name, weight: 0.5, words: "a name that looks made by an algorithm"))
    }
    // Streams and appliances are asked by address and on odd ports, so the second says less than the first.
    if isOddPort { signs.append(Sign(kind: .server, weight: signs.isEmpty ? 1 : 0.7, words: "port \(server.port)")) }
    return signs
  }

  private func bodySigns(_ shape: Shape) -> [Sign] {
    var signs: [Sign] = []
    if shape.posts * 5 >= shape.requests * 4 {
      signs.append(Sign(kind: .bodies, weight: 0.7, words: "posts only"))
      if shape.sizesOut.mean > 0, shape.sizesOut.dispersion <= Self.constantDispersion {
        signs.append(Sign(kind: .bodies, weight: 0.4, words: "bodies of one size"))
      }
      if shape.octetsOut > shape.octetsIn, shape.octetsOut > 0 {
        signs.append(Sign(kind: .bodies, weight: 0.4, words: "more sent than received"))
      }
    }
    guard shape.answered >= requestsLeast else { return signs }
    if shape.errors * 5 >= shape.answered * 4 {
      signs.append(Sign(kind: .answers, weight: 0.5, words: "it goes on although the server answers with errors"))
    } else if shape.sizesIn.mean <= Self.tinyAnswerOctets, shape.sizesIn.dispersion <= Self.constantDispersion {
      signs.append(
        Sign(kind: .answers, weight: 0.5, words: "answers all of \(Int(shape.sizesIn.mean.rounded())) octets"))
    }
    return signs
  }

  func finding(
    _ template: String, _ shape: Shape, _ server: Server, _ key: Key, _ signs: [Sign], isTour: Bool,
    _ context: ShardContext
  ) -> Finding? {
    let kinds = Set(signs.map(\.kind))
    guard kinds.count >= kindsLeast else { return nil }
    var odds = signs.reduce(0) { $0 + $1.weight }
    if shape.requests >= requestsLeast * 4 { odds += 0.3 }
    if isTour { odds -= 1 }
    let isNamed = IPAddress(key.name) == nil
    let isUnusual = kinds.contains(.server) || kinds.contains(.name)
    if isNamed, !isUnusual { odds = min(odds, namedMost) }
    let service = isNamed ? KnownService.byName(key.name) : nil
    if service != nil { odds = min(odds, 1) }
    // A name of random letters alone has everyday reasons: content networks, campaign hosts.
    if isNamed, !kinds.contains(.server), !DynamicDNS.owns(key.name) { odds = min(odds, 3) }
    let span = shape.last.seconds(since: shape.first)
    return Finding(
      card: Self.card, host: context.address(of: key.host), subject: "\(key.name) \(template)",
      summary: "sent \(shape.requests) requests of one shape, \(shape.posts > 0 ? "POST" : "GET") \(template), to "
        + "\(key.name) in \(Phrase.seconds(span)): \(signs.map(\.words).joined(separator: "; "))"
        + (service.map { "; its name says it is a \($0) service" } ?? ""),
      first: shape.first, last: shape.last, logOdds: max(0, min(5, odds)),
      measures: [
        Measure("requests", Double(shape.requests), "requests", atLeast: Double(requestsLeast)),
        Measure("duration", span, "s", atLeast: secondsLeast),
        Measure("kinds_of_signs", Double(kinds.count), "kinds", atLeast: Double(kindsLeast)),
        Measure("posts", Double(shape.posts) / Double(max(1, shape.requests)), "share"),
        Measure("without_agent", Double(shape.withoutAgent) / Double(max(1, shape.requests)), "share"),
        Measure("request_size_dispersion", shape.sizesOut.dispersion, ""),
        Measure("answer_size_dispersion", shape.sizesIn.dispersion, ""),
        Measure("answer_octets", Double(shape.sizesIn.mean), "octets"),
        Measure("shapes_of_server", Double(server.shapes.count), "shapes"),
      ],
      evidence: shape.samples,
      refutedBy: "a program on this machine that is known to send this request to \(key.name)",
      peer: server.isProxied ? nil : server.address, peerName: isNamed ? key.name : nil)
  }
}
