import Mothlight

/// Looks through a resolver whether the names are delegated to us, unsigned, and lead to nobody's live content (R4).
public struct DelegationProbe {
  public var servers: [DomainName]
  public var addresses: SinkAddresses
  let ask: (DomainName, UInt16) -> StubReply?

  public init(_ resolver: StubResolver, servers: [DomainName], addresses: SinkAddresses) {
    self.init(servers: servers, addresses: addresses) { resolver.ask($0, $1) }
  }

  init(servers: [DomainName], addresses: SinkAddresses, ask: @escaping (DomainName, UInt16) -> StubReply?) {
    self.servers = servers
    self.addresses = addresses
    self.ask = ask
  }

  /// Names that would be asked about: zones in the order of the set, none below a `*`, at most `most`.
  public static func names(of file: ZoneFile, most: Int) -> [(name: DomainName, line: Int)] {
    var found: [(DomainName, Int)] = []
    NameSet(file.names).visit { name, order, kind in
      guard found.count < most, kind == .zone else { return }
      let (length, _) = NameSet.extent(name)
      found.append((DomainName(trusted: (0..<length).map { name[$0] }), file.orders[order].line))
    }
    return found
  }

  /// Four questions about one name.
  public func check(_ name: DomainName, path: String, line: Int) -> [Preflight.Finding] {
    look(at: name, path: path, line: line).findings
  }

  /// The same, and who has the name, for a history; `nil` when the resolver gave no answer or its own failure.
  public func look(
    at name: DomainName, path: String, line: Int
  ) -> (findings: [Preflight.Finding], view: DelegationView?) {
    var findings: [Preflight.Finding] = []
    func add(_ severity: Preflight.Finding.Severity, _ words: String) {
      findings.append(.init(severity: severity, path: path, line: line, words: "'\(name)' \(words)"))
    }
    guard let delegation = ask(name, 2) else {
      add(.error, "could not be looked up: the resolver gave no answer")
      return (findings, nil)
    }
    let isOurs = Set(delegation.servers) == Set(servers)
    switch delegation.code {
    case 3: add(.error, "does not exist (NXDOMAIN): it is not delegated to anybody")
    case 0 where delegation.servers.isEmpty: add(.error, "is no zone: it has no name servers of its own")
    case 0 where !isOurs:
      let found = delegation.servers.map(\.description).sorted().joined(separator: ", ")
      add(.error, "is delegated to \(found), not to \(servers.map(\.description).joined(separator: ", "))")
    case 0: break
    default: add(.error, "gave code \(delegation.code) for its name servers")
    }
    let signers = ask(name, 43)
    if let signers, signers.signers > 0 {
      add(
        .error,
        "still has \(signers.signers) DS records: validating resolvers will refuse our answers; have them removed")
    }
    let own = Set(addresses.ipv4 + addresses.ipv6)
    let live = addresses(of: name).subtracting(own)
    if !live.isEmpty {
      let words = live.sorted().map(\.description).joined(separator: ", ")
      add(
        isOurs ? .error : .warning,
        isOurs ? "leads to \(words), which is not the sinkhole" : "leads to \(words) now: look whether innocents use it"
      )
    }
    // A resolver that fails says nothing about the registry.
    guard let signers, delegation.code == 0 || delegation.code == 3 else { return (findings, nil) }
    return (findings, .zone(exists: delegation.code == 0, servers: delegation.servers, signers: signers.signers))
  }

  /// Where a name server stands, which is what its glue should say; `nil` when the resolver gave no answer.
  public func look(atServer name: DomainName) -> DelegationView? {
    let replies = [1, 28].compactMap { ask(name, $0) }
    guard replies.count == 2, replies.allSatisfy({ $0.code == 0 || $0.code == 3 }) else { return nil }
    return .server(addresses: replies.flatMap(\.addresses))
  }

  private func addresses(of name: DomainName) -> Set<IPAddress> {
    Set([1, 28].flatMap { ask(name, $0)?.addresses ?? [] })
  }
}
