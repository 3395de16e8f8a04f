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

  /// The promise of harmlessness: this program reads; it cannot reach anybody.
  @Test func nothingCanReachTheNetwork() { #expect(violations(SwiftRules.networkUse) == []) }

  /// The C behind the station answers those who come; it calls on nobody and looks up no name.
  @Test func nothingCallsOnAnybody() {
    let files = Self.tree.files.filter { file in
      file.path.hasPrefix("Sources/") && (file.path.hasSuffix(".c") || file.path.hasSuffix(".h"))
    }
    #expect(files.contains { $0.path.hasSuffix("CLinux.c") })
    let calls = ["connect(", "getaddrinfo(", "gethostbyname(", "system(", "popen(", "execve("]
    #expect(files.flatMap { file in calls.filter { file.text.contains($0) }.map { "\(file.path): \($0)" } } == [])
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
