import ArgumentParser
import Foundation
import Mothlight
import MothlightStation

/// `mothlight sinkhole check ZONES…`: looks at zone files before they are served. Exit status 1: there is an error.
struct SinkholeCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Look at zone files before they are served.",
    discussion:
      "Without --resolver nobody is asked. With it, that resolver alone is asked whether the names are delegated to the sinkhole, unsigned, and lead to live content. Exit status 1 when there is an error."
  )

  @Argument(help: "Zone files (YAML).")
  var zones: [String]

  @Option(help: "Configuration of the sinkhole: its name servers, addresses and domain.")
  var config: String?

  @Option(name: .customLong("ns"), help: "Name server of the zones, instead of --config; may be repeated.")
  var servers: [String] = []

  @Option(help: "Domain that the operator owns; the name servers have to be in it. May be repeated.")
  var operatorDomain: [String] = []

  @Option(help: "File of names that must not be hit, one a line, or a list of popular sites (rank,name).")
  var benign: String?

  @Option(help: "Public suffix list (publicsuffix.org) instead of the short built-in table.")
  var publicSuffixes: String?

  @Option(help: "Resolver to ask, address or address:port; no other is ever asked.")
  var resolver: String?

  @Option(
    help: "File that keeps what the resolver said; what has changed since the last check is an error. Made if missing.")
  var history: String?

  @Option(help: "Names that the resolver is asked about, four questions each.")
  var most = 100

  func run() throws {
    do {
      let configuration = try config.map { try SinkholeConfiguration.read($0) }
      let preflight = try preflight(configuration)
      let stub = try resolver.map { StubResolver(try Self.address(resolver: $0)) }
      guard history == nil || stub != nil else { throw Failure("--history needs --resolver: nobody else is asked") }
      var past = try history.map { try DelegationHistory(path: $0) }
      var errors = 0
      let listeners = configuration?.listeners
      for problem in listeners?.listeners.isEmpty == false ? listeners?.problems ?? [] : [] {
        errors += 1
        _ = Terminal.write("error: \(config ?? ""): \(Terminal.printable(problem))\n", to: 1)
      }
      for path in zones {
        let file = try ZoneFile.read(path)
        var findings = try preflight.check(file)
        if let stub { findings += try probe(file, stub, preflight, configuration, &past) }
        for finding in findings { _ = Terminal.write(Terminal.printable(finding.description) + "\n", to: 1) }
        let wrong = findings.count { $0.severity == .error }
        errors += wrong
        _ = Terminal.write(
          "\(path): \(file.nameCount) names of \(file.orders.count) orders, \(wrong) errors, "
            + "\(findings.count - wrong) warnings\n", to: 1)
      }
      try past?.write(now: Timestamp(seconds: Int64(Date.now.timeIntervalSince1970)))
      if errors > 0 { throw ExitCode(1) }
    } catch let error as ListenError {
      throw Failure(error.description)
    } catch let problem as ZoneFile.Problem {
      throw Failure(problem.description)
    }
  }

  private func preflight(_ configuration: SinkholeConfiguration?) throws -> Preflight {
    var preflight = Preflight(today: Int(Date.now.timeIntervalSince1970 / 86_400))
    preflight.servers = servers.isEmpty ? configuration?.dns.servers ?? [] : try servers.map(Self.name)
    preflight.operatorDomains = try operatorDomain.map(Self.name)
    preflight.domainExpiry = configuration?.operator.domainExpiry
    preflight.benignPath = benign
    if let publicSuffixes {
      let text = try TextFile.read(publicSuffixes, "the list of publicsuffix.org is needed")
      preflight.suffixes = PublicSuffix(listText: text, includingPrivate: false)
    }
    return preflight
  }

  private func probe(
    _ file: ZoneFile, _ stub: StubResolver, _ preflight: Preflight, _ configuration: SinkholeConfiguration?,
    _ past: inout DelegationHistory?
  ) throws -> [Preflight.Finding] {
    guard !preflight.servers.isEmpty else {
      throw Failure("--resolver needs --config or --ns: whose delegation is right?")
    }
    let probe = DelegationProbe(
      stub, servers: preflight.servers,
      addresses: configuration?.dns.addresses ?? SinkAddresses(ipv4: [], ipv6: []))
    let names = DelegationProbe.names(of: file, most: max(0, most))
    if names.count < file.nameCount {
      Terminal.complain("\(file.path): \(names.count) of \(file.nameCount) names are asked about; see --most")
    }
    var findings: [Preflight.Finding] = []
    for (name, line) in names {
      let look = probe.look(at: name, path: file.path, line: line)
      findings += look.findings
      guard let view = look.view else { continue }
      if let alarm = past?.note(name.description, view, line: line, zones: file.path) { findings.append(alarm) }
    }
    guard past != nil else { return findings }
    for server in preflight.servers {
      guard let view = probe.look(atServer: server) else {
        findings.append(.init(unanswered: "name server \(server)", path: file.path))
        continue
      }
      if let alarm = past?.note(server.description, view, line: 0, zones: file.path) { findings.append(alarm) }
    }
    return findings
  }

  private static func name(_ text: String) throws -> DomainName {
    do { return try DomainName(text) } catch { throw Failure("'\(text)' \(error)") }
  }

  private static func address(resolver text: String) throws -> ListenAddress {
    if let address = ListenAddress(text) { return address }
    if let address = IPAddress(text) { return ListenAddress(address: address, port: 53) }
    throw Failure("'\(text)' is no address of a resolver: 192.0.2.53, 192.0.2.53:53 or [2001:db8::53]:53")
  }
}
