import Testing

/// Rules of the house that the compiler does not know.
@Suite struct SourceRulesTests {
  static let tree = SourceTree.project
  static let sources = tree.swift(below: "Sources")

  /// A tree that was not found would pass every rule.
  @Test func theTreeIsFound() {
    #expect(Self.sources.count > 100)
    #expect(Self.tree.pages.count > 10)
  }

  private func violations(_ rule: (String) -> [String]) -> [String] {
    Self.sources.flatMap { file in rule(file.text).map { "\(file.path): \($0)" } }
  }

  @Test func functionsAreShort() { #expect(violations { SwiftRules.longFunctions($0) } == []) }

  @Test func filesAreShort() {
    let long = Self.sources.filter { $0.text.lines.count - 1 > SwiftRules.fileLinesMost }
    #expect(long.map(\.path) == [])
  }

  @Test func nothingTrapsOrIsUnfinished() { #expect(violations(SwiftRules.traps) == []) }

  @Test func promisesToTheCompilerHaveReasons() { #expect(violations(SwiftRules.unexplainedPromises) == []) }

  /// The only code that speaks first: to the resolver that `sinkhole check --resolver` was given.
  static let stubResolver = "Sources/MothlightStation/Sinkhole/Preflight/StubResolver.swift"

  /// Asks this very machine for metrics, for `sinkhole top`.
  static let metricsClient = "Sources/MothlightStation/Sinkhole/Watching/MetricsClient.swift"

  /// The promise of harmlessness: this program reads and answers; it cannot reach anybody.
  @Test func nothingCanReachTheNetwork() throws {
    let stub = try #require(Self.tree.text(Self.stubResolver))
    #expect(SwiftRules.networkUse(stub) == ["uses socket(", "uses connect("])
    let client = try #require(Self.tree.text(Self.metricsClient))
    #expect(SwiftRules.networkUse(client) == ["uses socket("])
    #expect(client.contains("guard address.address.isLoopback else { return nil }"))
    let served = Self.sources.filter { file in Self.served.contains { file.path.hasPrefix($0) } }
    #expect(served.count > 20)
    #expect(Set(served.flatMap { SwiftRules.networkUse($0.text) }).subtracting(Self.servingModules) == [])
    let clients = ["ClientBootstrap", "ClientHandler", "HTTPClient", "NIOPosix", ".connect("]
    #expect(served.flatMap { file in clients.filter { file.text.contains($0) }.map { "\(file.path): \($0)" } } == [])
    let rest = Set(served.map(\.path) + [Self.stubResolver, Self.metricsClient])
    let files = Self.sources.filter { !rest.contains($0.path) }
    #expect(files.flatMap { file in SwiftRules.networkUse(file.text).map { "\(file.path): \($0)" } } == [])
  }

  /// What answers browsers, and the only modules of a network that it may import: none of them begins a connection by itself.
  static let served = ["Dashboard/", "Access/", "API/"].map { "Sources/MothlightStation/" + $0 }
  static let servingModules: Set = [
    "imports Hummingbird", "imports NIOCore", "imports NIOHTTPTypes", "imports NIOSSL",
  ]

  /// Only the station opens sockets, and only the command asks for it: the library and the rest never import it.
  @Test func onlyTheStationHasSockets() {
    let users = Self.sources.filter { file in
      SwiftRules.imports(file.text).contains { $0 == "CLinux" || $0 == "MothlightStation" }
    }
    #expect(!users.isEmpty)
    let floors = ["Sources/MothlightStation/", "Sources/MothlightCommand/"]
    #expect(users.filter { file in !floors.contains { file.path.hasPrefix($0) } }.map(\.path) == [])
    #expect(users.filter { $0.path.hasPrefix(floors[1]) && SwiftRules.imports($0.text).contains("CLinux") }.isEmpty)
  }

  /// What is on disk and what is on the wire never meet but in the command: the store opens no socket, the station no
  /// database, and the library neither.
  @Test func onlyTheStoreHasADatabase() {
    func users(_ module: String) -> [String] {
      Self.sources.filter { SwiftRules.imports($0.text).contains(module) }.map(\.path)
    }
    let grdb = users("GRDB")
    #expect(!grdb.isEmpty)
    #expect(grdb.filter { !$0.hasPrefix("Sources/MothlightStore/") } == [])
    let store = users("MothlightStore")
    #expect(!store.isEmpty)
    #expect(store.filter { !$0.hasPrefix("Sources/MothlightCommand/") } == [])
    let both = Set(store).intersection(users("MothlightStation"))
    #expect(both.filter { !$0.hasPrefix("Sources/MothlightCommand/") }.isEmpty)
    let allowed: Set<String> = ["Dispatch", "Foundation", "GRDB", "GRDBSQLite", "Mothlight", "Synchronization"]
    let foreign = Self.tree.swift(below: "Sources/MothlightStore").flatMap { SwiftRules.imports($0.text) }
    #expect(Set(foreign).subtracting(allowed) == [])
  }

  /// The C behind the station answers those who come; it calls on nobody and looks up no name.
  @Test func nothingCallsOnAnybody() {
    let files = Self.tree.files.filter { file in
      file.path.hasPrefix("Sources/") && (file.path.hasSuffix(".c") || file.path.hasSuffix(".h"))
    }
    #expect(files.contains { $0.path.hasSuffix("CLinux.c") })
    let calls = ["connect(", "getaddrinfo(", "gethostbyname(", "system(", "popen(", "execve("]
    #expect(files.contains { $0.path.hasSuffix("COpenSSL.c") })
    let clients = ["SSL_connect", "SSL_set_connect_state", "BIO_new_connect", "BIO_s_connect", "TLS_client_method"]
    #expect(files.flatMap { file in clients.filter { file.text.contains($0) }.map { "\(file.path): \($0)" } } == [])
    #expect(files.flatMap { file in calls.filter { file.text.contains($0) }.map { "\(file.path): \($0)" } } == [])
  }

  /// The ring of an interface is a packet socket, which could send anything: nothing behind it does.
  @Test func theRingOnlyReceives() throws {
    let ring = try #require(Self.tree.text("Sources/CLinux/CLinuxRing.c"))
    #expect(ring.contains("PACKET_RX_RING"))
    let sending = ["send(", "sendto(", "sendmsg(", "sendmmsg(", "write(", "writev(", "PACKET_TX_RING"]
    #expect(sending.filter { ring.contains($0) } == [])
    let capture = Self.tree.swift(below: "Sources/MothlightStation/Capture")
    #expect(capture.count > 3)
    #expect(
      capture.flatMap { file in sending.prefix(4).filter { file.text.contains($0) }.map { "\(file.path): \($0)" } }
        == [])
  }

  @Test(arguments: ["Wire", "Meter", "Detection", "Model"])
  func hotPathsAreFreeOfFoundation(_ folder: String) {
    let files = Self.tree.swift(below: "Sources/Mothlight/\(folder)")
    #expect(!files.isEmpty)
    #expect(files.filter { SwiftRules.imports($0.text).contains { $0.hasPrefix("Foundation") } }.map(\.path) == [])
  }

  @Test func limitsAreExplained() throws {
    let limits = try #require(Self.tree.text("Sources/Mothlight/Pipeline/Limits.swift"))
    #expect(SwiftRules.undocumentedConstants(limits) == [])
  }

  /// "Every table has a bound, and says how much it refused."
  @Test func fullTablesAreCounted() {
    let files = Self.tree.swift(below: "Sources/Mothlight/Detection")
    let detectors = files.filter { $0.stem.hasSuffix("Detector") }
    let silent = detectors.flatMap { detector in
      let parts = files.filter { $0.stem == detector.stem || $0.stem.hasPrefix(detector.stem + "+") }
      return BoundRules.silentTables(parts.map(\.text)).map { "\(detector.stem): \($0)" }
    }
    #expect(detectors.contains { !BoundRules.bounds($0.text).isEmpty })
    #expect(silent == [])
  }

  @Test func noPathIsOfOneMachine() {
    let found = Self.tree.files.flatMap { file in SwiftRules.absolutePaths(file.text).map { "\(file.path): \($0)" } }
    #expect(found == [])
  }

  @Test func testsMirrorSources() {
    let folders = Self.tree.folders(below: "Sources/Mothlight")
    let mirrored = folders.filter { !Self.tree.swift(below: "Tests/MothlightTests/\($0)").isEmpty }
    #expect(folders.filter { !mirrored.contains($0) } == [], "folders of the library without tests")
  }
}
