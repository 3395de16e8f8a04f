import Mothlight

extension StationConfiguration {
  private typealias Problem = YAMLNode.Problem

  enum Bound {
    static let sources = 64
    static let prefixes = 1024
    static let owners = 4096
    /// Rates by network of exporters.
    static let rates = 256
    static let receiveBufferMiB = 1...1024
    /// Lines of one source on the page of sensors.
    static let exportersShown = 1...512
  }

  init(_ node: YAMLNode, _ path: String) throws(YAMLNode.Problem) {
    var fields = try YAMLFields(node, "'station'")
    guard let data = try fields.text("data") else { throw fields.missing("data") }
    self.init(data: FileOctets.beside(path, data))
    let list = try fields.required("sources")
    sources = try YAMLFields.list(list, "sources", most: Bound.sources).map { item throws(Problem) in
      try Self.source(item, path)
    }
    let names = sources.map(\.name)
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw Problem(list.line, "two sources are called '\(twice)'; give one of them a 'name'")
    }
    if let twice = Self.addressTwice(sources) {
      throw Problem(list.line, "two sources listen on \(twice); one port takes all exporters")
    }
    if let node = fields.take("home") { home = try Self.prefixes(node, "home") }
    lists = try fields.texts("lists").map { FileOctets.beside(path, $0) }
    signatures = try fields.texts("signatures").map { FileOctets.beside(path, $0) }
    networks = try fields.texts("networks").map {
      $0 == NetworkFiles.standardWord ? $0 : FileOctets.beside(path, $0)
    }
    allow = try fields.texts("allow").map { FileOctets.beside(path, $0) }
    if let node = fields.take("cases") { cases = try Self.cases(node) }
    if let days = try fields.number("keep_days", in: 1...3650) { keepDays = days }
    if let seconds = try fields.number("judge_every_s", in: 1...3600) { judgeSeconds = seconds }
    if let node = fields.take("privacy") { privacy = try Self.privacy(node, path) }
    if let node = fields.take("serve") { serving = try Self.serving(node, path) }
    user = try fields.text("user", most: 64)
    if let format = try fields.word("log", LogFormat.self) { log = format }
    try fields.finish()
  }

  /// An address that two sources want for themselves.
  private static func addressTwice(_ sources: [Source]) -> ListenAddress? {
    var seen: Set<ListenAddress> = []
    for source in sources {
      guard case .flows(let address, _) = source.place, address.port != 0 else { continue }
      guard seen.insert(address).inserted else { return address }
    }
    return nil
  }

  private static func prefixes(_ node: YAMLNode, _ key: String) throws(Problem) -> [Prefix] {
    try YAMLFields.list(node, key, most: Bound.prefixes).map { item throws(Problem) in
      let text = try YAMLFields.text(item, key, most: 64)
      guard let prefix = Prefix(text) else {
        throw Problem(item.line, "'\(text)' is no prefix such as 192.0.2.0/24")
      }
      return prefix
    }
  }

  private static let kinds = ["interface", "flows", "logs", "captures", "spool", "demo"]

  private static func source(_ node: YAMLNode, _ path: String) throws(Problem) -> Source {
    var fields = try YAMLFields(node, "a source")
    let given = kinds.filter(fields.has)
    guard given.count == 1 else {
      let named = (given.isEmpty ? fields.keys : given).prefix(8).map { "'\($0)'" }.joined(separator: ", ")
      let all = kinds.joined(separator: ", ")
      throw Problem(node.line, "a source has one of: \(all); this one has: \(named.isEmpty ? "none" : named)")
    }
    let place: Source.Place
    let name: String
    switch given[0] {
    case "interface":
      let interface = try fields.text("interface", most: 15) ?? ""
      place = .interface(
        interface, filter: try Self.filter(&fields), promiscuous: try fields.isTrue("promiscuous"))
      name = interface
    case "flows":
      let text = try fields.text("flows", most: 64) ?? ""
      guard let address = ListenAddress(text) else {
        throw Problem(fields.lineOf("flows"), "'\(text)' is no address with a port, such as 192.0.2.1:2055")
      }
      (place, name) = (.flows(address, try Self.reception(&fields)), "flows-\(address.port)")
    case "demo":
      guard try fields.isTrue("demo") else { throw Problem(fields.lineOf("demo"), "'demo' is true or left out") }
      (place, name) = (.demo, "demo")
    case let kind:
      let folder = FileOctets.beside(path, try fields.text(kind) ?? "")
      name = folder.split(separator: "/").last.map(String.init) ?? kind
      place = kind == "logs" ? .logs(folder) : kind == "captures" ? .captures(folder) : .spool(folder)
    }
    let chosen = try fields.text("name", most: 48)
    try fields.finish()
    return Source(name: chosen ?? name, place: place)
  }

  /// Compiled here already, so that a mistake is told with its line and column before anything is started.
  private static func filter(_ fields: inout YAMLFields) throws(Problem) -> String? {
    guard let text = try fields.text("filter", most: 1000) else { return nil }
    do { _ = try CaptureFilter(text) } catch { throw Problem(fields.lineOf("filter"), error.description) }
    return text
  }

  private static func reception(_ fields: inout YAMLFields) throws(Problem) -> Reception {
    var reception = Reception()
    if let node = fields.take("exporters") { reception.exporters = try prefixes(node, "exporters") }
    if let node = fields.take("sampling") {
      reception.sampling = try YAMLFields.list(node, "sampling", most: Bound.rates).map { item throws(Problem) in
        var inner = try YAMLFields(item, "a rate of 'sampling'")
        let text = try YAMLFields.text(try inner.required("exporters"), "exporters", most: 64)
        guard let exporters = Prefix(text) else {
          throw Problem(inner.lineOf("exporters"), "'\(text)' is no prefix such as 192.0.2.0/24")
        }
        guard let rate = try inner.number("one_in", in: 1...Int(UInt32.max)) else { throw inner.missing("one_in") }
        try inner.finish()
        return FlowCollectorSettings.Sampling(exporters: exporters, oneIn: UInt32(clamping: rate))
      }
    }
    reception.trustsExporterClock = try fields.isTrue("trust_exporter_clock")
    if let size = try fields.number("receive_buffer_mib", in: Bound.receiveBufferMiB) {
      reception.receiveBufferOctets = size << 20
    }
    if let count = try fields.number("exporters_shown", in: Bound.exportersShown) { reception.exportersShown = count }
    return reception
  }

  private static func privacy(_ node: YAMLNode, _ path: String) throws(Problem) -> Privacy {
    var fields = try YAMLFields(node, "'privacy'")
    var privacy = Privacy()
    if let readers = try fields.word("pseudonyms", StationPrivacy.Readers.self) { privacy.readers = readers }
    privacy.key = try fields.text("key").map { FileOctets.beside(path, $0) }
    if let text = try fields.text("tlp", most: 16) {
      guard let tlp = TLP(text) else {
        let all = TLP.allCases.map { $0.rawValue.lowercased() }.joined(separator: ", ")
        throw Problem(fields.lineOf("tlp"), "'tlp' is one of: \(all)")
      }
      let least: TLP = privacy.readers == .everybody ? .green : .amber
      guard tlp >= least else {
        throw Problem(
          fields.lineOf("tlp"), "machines that may be infected are \(least.marking) at least, not \(tlp.marking)")
      }
      privacy.tlp = tlp
    }
    try fields.finish()
    return privacy
  }

  private static func cases(_ node: YAMLNode) throws(Problem) -> CaseRules {
    enum Word: String, CaseIterable { case suspicious, infected }
    var fields = try YAMLFields(node, "'cases'")
    var rules = CaseRules()
    if let word = try fields.word("from", Word.self) {
      rules.verdictLeast = word == .suspicious ? .suspicious : .infected
    }
    if let node = fields.take("owners") {
      rules.owners = try YAMLFields.list(node, "owners", most: Bound.owners).map { item throws(Problem) in
        var inner = try YAMLFields(item, "an owner")
        guard let name = try inner.text("name", most: 200) else { throw inner.missing("name") }
        let prefixes = try Self.prefixes(try inner.required("networks"), "networks")
        try inner.finish()
        return CaseRules.Owner(name: name, prefixes: prefixes)
      }
    }
    try fields.finish()
    return rules
  }

  private static func serving(_ node: YAMLNode, _ path: String) throws(Problem) -> Serving? {
    var fields = try YAMLFields(node, "'serve'")
    var serving = Serving()
    if fields.has("off") {
      let isOff = try fields.isTrue("off")
      try fields.finish()
      return isOff ? nil : serving
    }
    if let text = try fields.text("listen", most: 64) {
      guard let address = ListenAddress(text) else {
        throw Problem(fields.lineOf("listen"), "'\(text)' is no address with a port: 127.0.0.1:8420 or [::1]:8420")
      }
      serving.listen = address
    }
    serving.names = try fields.texts("names", most: 16)
    if let node = fields.take("tls") { serving.encryption = try Self.encryption(node, path) }
    guard serving.listen.address.isLoopback || serving.encryption != .none else {
      throw Problem(
        fields.lineOf("listen"),
        "outside of loopback pages need 'tls: own' or 'tls: { certificate: FILE, key: FILE }', and a user (mothlight users add)"
      )
    }
    try fields.finish()
    return serving
  }

  private static func encryption(_ node: YAMLNode, _ path: String) throws(Problem) -> Serving.Encryption {
    if case .text(let word) = node.value {
      guard word == "own" else { throw Problem(node.line, "'tls' is 'own', or names a certificate and a key") }
      return .own
    }
    var fields = try YAMLFields(node, "'tls'")
    guard let certificate = try fields.text("certificate") else { throw fields.missing("certificate") }
    guard let key = try fields.text("key") else { throw fields.missing("key") }
    try fields.finish()
    return .files(certificate: FileOctets.beside(path, certificate), key: FileOctets.beside(path, key))
  }
}
