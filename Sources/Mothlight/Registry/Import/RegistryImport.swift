/// What one file says, before it meets the registry.
public struct RegistryImport: Sendable {
  public enum Format: String, Sendable, CaseIterable {
    case galaxy = "misp-galaxy"
    case feodo, threatfox, urlhaus, sslbl, census

    /// Where the claims of such a file come from, unless the caller says otherwise.
    public var source: String {
      switch self {
      case .galaxy: "misp/galaxy"
      case .feodo, .threatfox, .urlhaus, .sslbl: "abuse.ch/\(rawValue)"
      case .census: "mothlight/census"
      }
    }
  }

  /// What is claimed about a botnet itself.
  public struct Entry: Sendable {
    /// UUID that the source gives; `nil`: the registry makes one from the name.
    public var id: String?
    public var name: String
    public var aliases: [String] = []
    public var kind: Botnet.Kind
    /// The source says so, as opposed to what is assumed of a name in a feed.
    public var isKindStated: Bool
    public var identifiers: [Botnet.Identifier] = []
    public var relations: [Botnet.Relation] = []
    public var references: [String] = []
    public var dated: String?
    public var line: Int

    public init(id: String? = nil, name: String, kind: Botnet.Kind, isKindStated: Bool, line: Int = 0) {
      self.id = id
      self.name = name
      self.kind = kind
      self.isKindStated = isKindStated
      self.line = line
    }
  }

  /// An indicator with the names under which its botnet may be known.
  public struct Row: Sendable {
    public var claim: IndicatorClaim
    /// Names to look up, the best first; the first that is known wins.
    public var candidates: [String]
    /// Identifier to look up before any name.
    public var malpedia: String?
    /// Whether the first name is a malware's name for certain, so that it may become a row: not so for free tags.
    public var mayName: Bool
  }

  public struct Size: Sendable {
    public var botnet: String
    public var observation: SizeObservation
  }

  public var path: String
  public var format: Format
  public var source: String
  public var entries: [Entry] = []
  public var rows: [Row] = []
  public var sizes: [Size] = []
  /// Rows that were read, good and bad.
  public var read = 0
  public var skipped = 0
  /// The first row that was skipped, or the damage that ended the reading.
  public var firstProblem: TextDamage?

  public init(path: String, format: Format, source: String) {
    self.path = path
    self.format = format
    self.source = source
  }

  public var isEmpty: Bool { entries.isEmpty && rows.isEmpty && sizes.isEmpty }

  /// One line about what could not be used; `nil` when all of it could.
  public var complaint: String? {
    guard let problem = firstProblem else { return nil }
    let tail = skipped > 1 ? "; \(skipped) of \(read) rows skipped, this is the first" : "; the rest was read"
    return "\(path):\(problem.line): \(problem.what)\(isEmpty ? "; nothing usable is left" : tail)"
  }

  mutating func skip(line: Int, _ what: String) {
    skipped += 1
    if firstProblem == nil { firstProblem = TextDamage(line: line, what: what) }
  }
}
