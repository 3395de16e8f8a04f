import Mothlight

/// What is looked at before a zone file is served (R4): authority, time, name servers, registrations, and whom else the
/// names might belong to. Asks nobody; `DelegationProbe` asks a resolver.
public struct Preflight: Sendable {
  public struct Finding: Sendable, Equatable, CustomStringConvertible {
    public enum Severity: String, Sendable { case error, warning }

    public var severity: Severity
    public var path: String
    /// 0 for what is no line's fault.
    public var line: Int
    public var words: String

    /// The resolver said nothing about something.
    public init(unanswered what: String, path: String) {
      self.init(
        severity: .error, path: path, line: 0, words: "\(what) could not be looked up: the resolver gave no answer")
    }

    init(severity: Severity, path: String, line: Int, words: String) {
      (self.severity, self.path, self.line, self.words) = (severity, path, line, words)
    }

    public var description: String { "\(severity.rawValue): \(path)\(line > 0 ? ":\(line)" : ""): \(words)" }
  }

  enum Bound {
    /// Findings of one kind that are told in full.
    static let each = 20
    /// Days before an end or an expiry from which on it is told (R5).
    static let expiryDays = 180
    static let endDays = 30
    /// Labels of the longest public suffix.
    static let suffixLabels = 5
  }

  /// Names of the zones' servers; empty: not looked at.
  public var servers: [DomainName] = []
  /// Domains that the operator owns.
  public var operatorDomains: [DomainName] = []
  /// Last day of their registration.
  public var domainExpiry: Int?
  public var suffixes = PublicSuffix.builtin
  /// File of names, one a line, that must not be hit.
  public var benignPath: String?
  /// Present day, since the epoch.
  public var today: Int

  public init(today: Int) { self.today = today }

  /// - Throws: `ZoneFile.Problem` when the file of benign names cannot be read.
  public func check(_ file: ZoneFile) throws(ZoneFile.Problem) -> [Finding] {
    var report = Report(path: file.path)
    for problem in file.problems { report.add(.error, problem.line, problem.reason, path: problem.path) }
    if file.problemCount > file.problems.count {
      report.add(.error, 0, "\(file.problemCount - file.problems.count) more lines cannot be served")
    }
    for order in file.orders { check(order, &report) }
    let names = NameSet(file.names)
    checkServers(file, names, &report)
    checkNames(file, names, &report)
    if let benignPath { try checkBenign(benignPath, file, names, &report) }
    return report.findings
  }

  struct Report {
    let path: String
    private(set) var findings: [Finding] = []

    init(path: String) { self.path = path }

    mutating func add(_ severity: Finding.Severity, _ line: Int, _ words: String, path: String? = nil) {
      findings.append(Finding(severity: severity, path: path ?? self.path, line: line, words: words))
    }
  }

  private func check(_ order: SeizureOrder, _ report: inout Report) {
    let name = "order \(order.authority.order) (\(order.family))"
    // The day of the last second that is served.
    let last = Int((order.end - 1) / 86_400)
    if last < today {
      report.add(.error, order.line, "\(name) ended on \(Timestamp.describe(day: last)); nothing of it is served")
    } else if last - today < Bound.endDays {
      report.add(
        .warning, order.line,
        "\(name) ends on \(Timestamp.describe(day: last)), in \(last - today) days; renew it or plan the release")
    }
    if Int(order.start / 86_400) > today {
      report.add(
        .warning, order.line, "\(name) is not served before \(Timestamp.describe(day: Int(order.start / 86_400)))")
    }
    guard let expiry = order.registrationExpiry else {
      return report.add(
        .warning, order.line, "\(name) has no 'registration_expiry': nobody has looked whether the names outlast it")
    }
    if expiry <= last {
      report.add(
        .error, order.line,
        "the names of \(name) expire on \(Timestamp.describe(day: expiry)), not after its end; strangers could buy them"
      )
    }
  }

  private func checkServers(_ file: ZoneFile, _ names: NameSet, _ report: inout Report) {
    guard !servers.isEmpty else {
      return report.add(.warning, 0, "no name servers given: not checked; use --config or --ns")
    }
    if operatorDomains.isEmpty {
      report.add(.warning, 0, "no domain of the operator given: nobody has looked who owns the name servers' names")
    }
    for server in servers {
      if !operatorDomains.isEmpty, !operatorDomains.contains(where: { server.isAtOrBelow($0) }) {
        report.add(
          .error, 0,
          "name server \(server) is in no domain of the operator; whoever owns its name gets every seized name")
      }
      if let order = names.covering(server) {
        report.add(
          .error, file.orders[order].line,
          "name server \(server) is itself a seized name, which goes when the order ends")
      }
    }
    guard let domainExpiry else { return }
    let longest = file.orders.map { Int(($0.end - 1) / 86_400) }.max() ?? today
    let date = Timestamp.describe(day: domainExpiry)
    if domainExpiry <= longest {
      report.add(.error, 0, "the name servers' domain expires on \(date), before the last order ends")
    } else if domainExpiry - today < Bound.expiryDays {
      report.add(.warning, 0, "the name servers' domain expires on \(date), within \(Bound.expiryDays) days; renew it")
    }
  }
}
