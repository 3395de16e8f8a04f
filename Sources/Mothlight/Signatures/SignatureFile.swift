/// A file of signatures in the language of `docs/signatures.md`: what passive detection and the sinkhole recognise.
public struct SignatureFile: Sendable {
  /// What an operator's file does to the built-in signatures.
  public enum Mode: String, Sendable, CaseIterable {
    /// Adds to them; an entry with the id of one of them takes its place.
    case add
    /// Stands instead of them.
    case replace
  }

  public struct Entry: Sendable {
    public var signature: Signature
    public var line: Int
    var positives: [SignatureVector]
    var negatives: [SignatureVector]
    /// Messages by which it is tested.
    public var tests: Int { positives.count + negatives.count }
  }

  /// The language that this program reads.
  public static let language = 1

  public private(set) var path: String
  public private(set) var mode: Mode
  public private(set) var entries: [Entry]
  public var signatures: [Signature] { entries.map(\.signature) }

  private enum Bound {
    /// Signatures of a file: each is held against every message that its first octet admits.
    static let signatures = 512
  }

  /// - Throws: `ConfigurationError` that begins with `path:line:`.
  public init(bytes: [UInt8], path: String) throws(ConfigurationError) {
    self.path = path
    do throws(YAMLNode.Problem) {
      (mode, entries) = try Self.read(bytes)
    } catch {
      throw ConfigurationError("\(path):\(error.line): \(error.message)")
    }
  }

  private static func read(_ bytes: [UInt8]) throws(YAMLNode.Problem) -> (Mode, [Entry]) {
    let root = try StrictYAML.read(bytes)
    var fields = try YAMLFields(root, "the file")
    let format = try fields.text("format")
    guard format == "mothlight-signatures" else {
      throw .init(root.line, "no 'format: mothlight-signatures': not a signature file")
    }
    guard let spoken = try fields.number("language", in: 1...1_000_000) else { throw fields.missing("language") }
    guard spoken == language else {
      throw .init(root.line, "language \(spoken); this program reads language \(language)")
    }
    guard let day = try fields.text("date", most: 10), IndicatorList.day(day) != nil else {
      throw .init(root.line, "no 'date: YYYY-MM-DD'")
    }
    _ = try fields.text("about")
    let mode = try fields.word("mode", Mode.self) ?? .add
    let list = try YAMLFields.list(try fields.required("signatures"), "signatures", most: Bound.signatures)
    try fields.finish()
    var entries: [Entry] = []
    var lines: [String: Int] = [:]
    for item in list {
      let entry = try SignatureDecoder.entry(item)
      if let before = lines.updateValue(entry.line, forKey: entry.signature.id) {
        throw .init(entry.line, "id '\(entry.signature.id)' is given on line \(before) already")
      }
      entries.append(entry)
    }
    return (mode, entries)
  }

  /// Tests that go the wrong way, one line each, with path and line.
  public var failures: [String] {
    entries.flatMap { entry in
      let missed = entry.positives.filter { !$0.isMatched(by: entry.signature) }
        .map { "\(path):\($0.line): \(entry.signature.id) does not match its test" }
      let wrong = entry.negatives.filter { $0.isMatched(by: entry.signature) }
        .map { "\(path):\($0.line): \(entry.signature.id) matches what it should not" }
      return missed + wrong
    }
  }
}

extension SignatureFile {
  /// The file that ships with the program, as it stands in the sources.
  static let builtinText = PackageResources.Signatures_yaml

  public static func readBuiltin() throws(ConfigurationError) -> SignatureFile {
    try SignatureFile(bytes: builtinText, path: "Signatures.yaml")
  }

  /// The same, read once; a test holds that it can be.
  public static let builtin: SignatureFile? = try? readBuiltin()

  /// The built-in signatures changed by operators' files, each of which must pass its own tests.
  /// - Throws: `ConfigurationError` with path and line.
  public static func merged(_ files: [SignatureFile]) throws(ConfigurationError) -> [Signature] {
    let keepsBuiltin = !files.contains { $0.mode == .replace }
    let builtin = builtin?.signatures ?? []
    var owners: [String: String] = [:]
    for file in files {
      if let failure = file.failures.first { throw ConfigurationError(failure) }
      for entry in file.entries {
        let id = entry.signature.id
        if let other = owners.updateValue(file.path, forKey: id) {
          throw ConfigurationError("\(file.path):\(entry.line): id '\(id)' is in \(other) already")
        }
        if id.hasPrefix(Signature.mariposaPrefix), !builtin.contains(where: { $0.id == id }) {
          throw ConfigurationError(
            "\(file.path):\(entry.line): ids '\(Signature.mariposaPrefix)…' belong to the detector mariposa-checkin")
        }
      }
    }
    let own = files.flatMap(\.signatures)
    let all = (keepsBuiltin ? builtin.filter { owners[$0.id] == nil } : []) + own
    for way in SignatureSet.Way.allCases {
      let count = all.count { way.takes($0) }
      guard count <= SignatureSet.Way.most else {
        throw ConfigurationError("more than \(SignatureSet.Way.most) octet signatures of one transport and direction")
      }
    }
    return all
  }
}
